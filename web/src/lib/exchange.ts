// Conversations as a file: written, and read again with every field looked at.
import { freshId } from './id'
import type { Conversation, Effort, Message, Picture, Stats, ToolCall } from './types'

export interface Bundle {
  conversation: Conversation
  messages: Message[]
}

const FORMAT = 'bise-conversations'
const VERSION = 1
const MAX_FILE_MIB = 256

export function writeFile(bundles: Bundle[]): string {
  return JSON.stringify({ format: FORMAT, version: VERSION, conversations: bundles }, null, 1)
}

/** Conversations of a file, under new ids, so that nothing here is overwritten. Throws in words. */
export function readFile(text: string): Bundle[] {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    throw new Error('This file is not JSON; choose one that was exported here')
  }
  const whole = object(file, 'the file')
  if (whole.format !== FORMAT) throw new Error('This file was not exported here: its `format` should be `bise-conversations`')
  if (whole.version !== VERSION) throw new Error(`This file has version ${String(whole.version)}; this page reads version ${VERSION}`)
  return list(whole.conversations, 'conversations').map((one, index) => readBundle(one, `conversations[${index}]`))
}

export function checkSize(file: File): void {
  if (file.size > MAX_FILE_MIB * 2 ** 20) throw new Error(`This file has ${Math.round(file.size / 2 ** 20)} MiB; at most ${MAX_FILE_MIB} are read`)
}

function readBundle(value: unknown, at: string): Bundle {
  const bundle = object(value, at)
  const given = list(bundle.messages, `${at}.messages`).map((one, index) => object(one, `${at}.messages[${index}]`))
  const ids = new Map<string, string>()
  for (const [index, one] of given.entries()) {
    const id = string(one.id, `${at}.messages[${index}].id`)
    if (ids.has(id)) throw new Error(`\`${at}.messages[${index}].id\` is there twice`)
    ids.set(id, freshId())
  }
  const conversation = readConversation(bundle.conversation, `${at}.conversation`, ids)
  const messages = given.map((one, index) => readMessage(one, `${at}.messages[${index}]`, conversation.id, ids))
  needTree(messages, at)
  return { conversation, messages }
}

function readConversation(value: unknown, at: string, ids: Map<string, string>): Conversation {
  const one = object(value, at)
  const chosen: Record<string, string> = {}
  for (const [from, to] of Object.entries(object(one.chosen ?? {}, `${at}.chosen`))) {
    const child = ids.get(string(to, `${at}.chosen`))
    const place = from === 'root' ? 'root' : ids.get(from)
    if (child && place) chosen[place] = child
  }
  return {
    id: freshId(),
    title: string(one.title, `${at}.title`).slice(0, 200),
    created: count(one.created, `${at}.created`),
    updated: count(one.updated, `${at}.updated`),
    effort: word(one.effort, ['none', 'high'], `${at}.effort`),
    system: string(one.system ?? '', `${at}.system`),
    temperature: one.temperature == null ? null : count(one.temperature, `${at}.temperature`),
    tools: string(one.tools ?? '', `${at}.tools`),
    chosen,
  }
}

function readMessage(one: Record<string, unknown>, at: string, conversation: string, ids: Map<string, string>): Message {
  const parent = one.parent === null ? null : ids.get(string(one.parent, `${at}.parent`))
  if (parent === undefined) throw new Error(`\`${at}.parent\` is no message of this conversation`)
  const state = word(one.state, ['writing', 'done', 'stopped', 'cut', 'failed'], `${at}.state`)
  const message: Message = {
    id: ids.get(one.id as string) as string,
    conversation,
    parent,
    role: word(one.role, ['user', 'assistant', 'tool'], `${at}.role`),
    created: count(one.created, `${at}.created`),
    text: string(one.text, `${at}.text`),
    state: state === 'writing' ? 'stopped' : state,
  }
  if (one.pictures !== undefined) message.pictures = list(one.pictures, `${at}.pictures`).map((p, i) => readPicture(p, `${at}.pictures[${i}]`))
  if (one.thinking !== undefined) message.thinking = string(one.thinking, `${at}.thinking`)
  if (one.thinkingS !== undefined) message.thinkingS = count(one.thinkingS, `${at}.thinkingS`)
  if (one.calls !== undefined) message.calls = list(one.calls, `${at}.calls`).map((c, i) => readCall(c, `${at}.calls[${i}]`))
  if (one.callId !== undefined) message.callId = string(one.callId, `${at}.callId`)
  if (one.effort !== undefined) message.effort = word<Effort>(one.effort, ['none', 'high'], `${at}.effort`)
  if (one.stats !== undefined) message.stats = readStats(one.stats, `${at}.stats`)
  if (one.problem !== undefined) message.problem = string(one.problem, `${at}.problem`)
  return message
}

function readPicture(value: unknown, at: string): Picture {
  const one = object(value, at)
  const data = string(one.data, `${at}.data`)
  if (!/^data:image\/(png|jpeg|webp|gif);base64,[A-Za-z0-9+/]+=*$/.test(data)) throw new Error(`\`${at}.data\` is no picture: it should be a data: URL of PNG, JPEG, WEBP or GIF`)
  return { name: string(one.name, `${at}.name`), data, width: count(one.width, `${at}.width`), height: count(one.height, `${at}.height`) }
}

function readCall(value: unknown, at: string): ToolCall {
  const one = object(value, at)
  return { id: string(one.id, `${at}.id`), name: string(one.name, `${at}.name`), arguments: string(one.arguments, `${at}.arguments`) }
}

function readStats(value: unknown, at: string): Stats {
  const one = object(value, at)
  const names = ['promptTokens', 'completionTokens', 'reasoningTokens', 'cachedTokens', 'firstTokenS', 'writingS'] as const
  return Object.fromEntries(names.map((name) => [name, count(one[name], `${at}.${name}`)])) as unknown as Stats
}

/** Every message leads back to a beginning. */
function needTree(messages: Message[], at: string): void {
  const parents = new Map(messages.map((one) => [one.id, one.parent]))
  const rooted = new Set<string>()
  for (const { id } of messages) {
    const way = new Set<string>()
    for (let next: string | null = id; next !== null && !rooted.has(next); next = parents.get(next) ?? null) {
      if (way.has(next)) throw new Error(`\`${at}.messages\` go round in a circle`)
      way.add(next)
    }
    for (const one of way) rooted.add(one)
  }
}

function object(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`\`${at}\` should be an object`)
  return value as Record<string, unknown>
}

function list(value: unknown, at: string): unknown[] {
  if (!Array.isArray(value)) throw new Error(`\`${at}\` should be a list`)
  return value
}

function string(value: unknown, at: string): string {
  if (typeof value !== 'string') throw new Error(`\`${at}\` should be a text`)
  return value
}

function count(value: unknown, at: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw new Error(`\`${at}\` should be a number from 0`)
  return value
}

function word<T extends string>(value: unknown, known: readonly T[], at: string): T {
  const found = known.find((one) => one === value)
  if (found === undefined) throw new Error(`\`${at}\` should be one of ${known.join(', ')}`)
  return found
}
