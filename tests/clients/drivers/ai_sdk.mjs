// What both providers of the AI SDK are asked.

import { generateText, isStepCount, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { CALL, LOOK, MAX_TOKENS, SAY, need, needAnswer, needSeen, needThought, picture, tell } from "./telling.mjs";

const stop = stepCountIs ?? isStepCount;

export async function trial(model, thinking) {
  const base = { model, maxOutputTokens: MAX_TOKENS, maxRetries: 0 };
  const add = tool({
    description: "Add two numbers.",
    inputSchema: z.object({ a: z.number(), b: z.number() }),
    execute: async ({ a, b }) => `the sum is ${a + b}`,
  });
  await tell({
    async chat() {
      const reply = await generateText({ ...base, prompt: SAY });
      needAnswer(reply.text);
      need(reply.usage.outputTokens > 0, reply.usage);
    },
    async streaming() {
      const pieces = [];
      for await (const piece of streamText({ ...base, prompt: SAY }).textStream) pieces.push(piece);
      needAnswer(pieces.join(""));
      need(pieces.length > 1, pieces);
    },
    async reasoning() {
      const reply = await generateText({ ...base, prompt: SAY, ...thinking });
      needThought(reply.reasoningText);
      needAnswer(reply.text);
      const streamed = streamText({ ...base, prompt: SAY, ...thinking });
      needThought(await streamed.reasoningText);
      needAnswer(await streamed.text);
    },
    async tools() {
      const fields = { ...base, prompt: CALL, tools: { add }, stopWhen: stop(3) };
      need((await generateText(fields)).text.includes("the sum is 42"), "whole");
      need((await streamText(fields).text).includes("the sum is 42"), "streamed");
    },
    async image() {
      const data = Buffer.from(picture().split(",")[1], "base64");
      const content = [{ type: "text", text: LOOK }, { type: "file", data, mediaType: "image/png" }];
      needSeen((await generateText({ ...base, messages: [{ role: "user", content }] })).text);
    },
  });
}
