// What the drivers in JavaScript share; the same as telling.py, word for word where it matters.

import { deflateSync, crc32 } from "node:zlib";

const [url, model, ...more] = process.argv.slice(2);
export const URL_ = url;
export const MODEL = model;
export const IS_NANO = more.includes("nano");
export const HELLO = 'Grüße, 42 — héllo 👋🏽 {"a": [1]} </s> [TOOL_CALLS]';
export const SAY = IS_NANO ? "What is 17+25?" : `say <<${HELLO}>>`;
export const CALL = 'call add <<{"a": 17, "b": 25}>>';
export const LOOK = IS_NANO ? "What is this?" : "look";
export const MAX_TOKENS = IS_NANO ? 600 : 4000;
const THOUGHT = "one step after the other";

export const PARAMETERS = {
  type: "object",
  properties: { a: { type: "integer" }, b: { type: "integer" } },
  required: ["a", "b"],
};

/** A red square as a data URL. */
export function picture(side = 56) {
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(side * 3, Buffer.from([255, 0, 0]))]);
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const size = Buffer.alloc(4);
    size.writeUInt32BE(data.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([size, body, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const rows = deflateSync(Buffer.concat(Array(side).fill(row)));
  const png = [Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", head), chunk("IDAT", rows)];
  const data = Buffer.concat([...png, chunk("IEND", Buffer.alloc(0))]);
  return "data:image/png;base64," + data.toString("base64");
}

export function need(claim, met) {
  if (!claim) throw new Error(String(JSON.stringify(met)).slice(0, 600));
}
export const needAnswer = (text) =>
  need(typeof text === "string" && (IS_NANO ? text.trim() : text === HELLO), text);
export const needThought = (text) =>
  need(typeof text === "string" && text && (IS_NANO || text.includes(THOUGHT)), text);
export const needSeen = (text) =>
  need(typeof text === "string" && (IS_NANO ? text.trim() : text.includes("1 picture(s), 2 rows")), text);

/** Try each ability, and print a line of JSON for it. */
export async function tell(abilities) {
  for (const [ability, attempt] of Object.entries(abilities)) {
    if (IS_NANO && ability === "tools") continue;
    let passed = true, note = "";
    try {
      note = (await attempt()) ?? "";
    } catch (error) {
      passed = false;
      note = `${error.name}: ${error.message}`;
    }
    console.log(JSON.stringify({ ability, passed, note }));
  }
}
