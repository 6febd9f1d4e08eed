// @ai-sdk/mistral: Mistral's dialect, by its address.

import { createMistral } from "@ai-sdk/mistral";
import { trial } from "./ai_sdk.mjs";
import { MODEL, URL_ } from "./telling.mjs";

const provider = createMistral({ baseURL: `${URL_}/mistral/v1`, apiKey: "x" });
await trial(provider(MODEL), { providerOptions: { mistral: { reasoningEffort: "high" } } });
