// @mistralai/mistralai: chat completions in Mistral's dialect.

import { Mistral } from "@mistralai/mistralai";
import { CALL, LOOK, MAX_TOKENS, MODEL, PARAMETERS, SAY, URL_, need, needAnswer, needSeen, needThought, picture, tell } from "./telling.mjs";

const client = new Mistral({ serverURL: URL_, apiKey: "x" });
const tool = { type: "function", function: { name: "add", parameters: PARAMETERS } };
const ask = (content, more = {}) => ({
  model: MODEL, maxTokens: MAX_TOKENS, messages: [{ role: "user", content }], ...more,
});

/** Thinking and text of a content. */
function split(content) {
  if (typeof content === "string" || !content) return ["", content ?? ""];
  const thoughts = content.filter((part) => part.type === "thinking").flatMap((part) => part.thinking);
  const texts = content.filter((part) => part.type === "text");
  return [thoughts.map((one) => one.text).join(""), texts.map((one) => one.text).join("")];
}

async function streamed(fields) {
  const deltas = [];
  for await (const event of await client.chat.stream(fields)) deltas.push(event.data.choices[0].delta);
  const pieces = deltas.map((delta) => split(delta.content));
  return [pieces.map((one) => one[0]).join(""), pieces.map((one) => one[1]).filter(Boolean), deltas];
}

await tell({
  async chat() {
    const reply = await client.chat.complete(ask(SAY));
    needAnswer(reply.choices[0].message.content);
    need(reply.usage.completionTokens > 0, reply);
  },
  async streaming() {
    const [, pieces] = await streamed(ask(SAY));
    needAnswer(pieces.join(""));
    need(pieces.length > 1, pieces);
  },
  async reasoning() {
    const reply = await client.chat.complete(ask(SAY, { reasoningEffort: "high" }));
    const [thought, text] = split(reply.choices[0].message.content);
    needThought(thought);
    needAnswer(text);
    const [again, pieces] = await streamed(ask(SAY, { reasoningEffort: "high" }));
    needThought(again);
    needAnswer(pieces.join(""));
  },
  async tools() {
    const fields = ask(CALL, { tools: [tool], reasoningEffort: "high" });
    const { message } = (await client.chat.complete(fields)).choices[0];
    const [call] = message.toolCalls;
    need(JSON.parse(call.function.arguments).b === 25, call);
    const result = { role: "tool", toolCallId: call.id, name: "add", content: "the sum is 42" };
    const after = await client.chat.complete({ ...fields, messages: [...fields.messages, message, result] });
    need(split(after.choices[0].message.content)[1].includes("the sum is 42"), after);
    const [thought, , deltas] = await streamed(fields);
    needThought(thought);
    need(deltas.flatMap((delta) => delta.toolCalls ?? []).length === 1, deltas);
  },
  async image() {
    const parts = [{ type: "text", text: LOOK }, { type: "image_url", imageUrl: picture() }];
    needSeen((await client.chat.complete(ask(parts))).choices[0].message.content);
  },
});
