// @ai-sdk/openai-compatible: OpenAI's dialect.

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { trial } from "./ai_sdk.mjs";
import { MODEL, URL_ } from "./telling.mjs";

const provider = createOpenAICompatible({ name: "bise", baseURL: `${URL_}/v1`, apiKey: "x", includeUsage: true });
await trial(provider(MODEL), { providerOptions: { bise: { reasoningEffort: "high" } } });
