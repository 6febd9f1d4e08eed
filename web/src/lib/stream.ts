// A reply as it is written: server-sent events in, pieces out.
import { ask, messageOf, ServerError } from './server'
import type { ToolCall } from './types'

export interface Usage {
  promptTokens: number
  completionTokens: number
  reasoningTokens: number
  cachedTokens: number
}

export interface Piece {
  id: string
  text: string
  thinking: string
  calls: ToolCall[]
  finish: string | null
  usage: Usage | null
}

/** Ask for a reply and give its pieces as they come. Throws `ServerError`; ends early if aborted. */
export async function* streamReply(body: object, signal: AbortSignal): AsyncGenerator<Piece> {
  const options = { include_usage: true, continuous_usage_stats: true }
  const answer = await ask('v1/chat/completions', { ...body, stream: true, stream_options: options }, signal)
  if (!answer.body) throw new ServerError(0, 'The answer came without a body')
  let isFinished = false
  for await (const data of events(answer.body)) {
    if (data === '[DONE]') break
    const piece = readPiece(data)
    isFinished ||= piece.finish !== null
    yield piece
  }
  if (!isFinished) throw new ServerError(0, 'The connection broke off before the answer was complete')
}

/** The data of each event; comments, which keep the line warm, are left out. */
async function* events(bytes: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = bytes.getReader()
  const decoder = new TextDecoder()
  let held = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      held += done ? decoder.decode() : decoder.decode(value, { stream: true })
      const blocks = held.split('\n\n')
      held = blocks.pop() ?? ''
      for (const block of blocks) {
        const data = dataOf(block)
        if (data !== null) yield data
      }
      if (done) return
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

function dataOf(block: string): string | null {
  const lines = block.split('\n').filter((line) => line.startsWith('data:'))
  return lines.length > 0 ? lines.map((line) => line.slice(5).trimStart()).join('\n') : null
}

function readPiece(data: string): Piece {
  let chunk: any
  try {
    chunk = JSON.parse(data)
  } catch {
    throw new ServerError(0, 'The server sent something that is no answer')
  }
  if (chunk.error) throw new ServerError(chunk.raw_status_code ?? 500, `The answer broke off: ${messageOf(chunk)}`)
  const choice = chunk.choices?.[0]
  const delta = choice?.delta ?? {}
  return {
    id: String(chunk.id ?? ''),
    text: delta.content ?? '',
    thinking: delta.reasoning_content ?? '',
    calls: (delta.tool_calls ?? []).map(readCall),
    finish: choice?.finish_reason ?? null,
    usage: chunk.usage ? readUsage(chunk.usage) : null,
  }
}

function readCall(call: any): ToolCall {
  return { id: call.id, name: call.function.name, arguments: call.function.arguments }
}

function readUsage(usage: any): Usage {
  return {
    promptTokens: usage.prompt_tokens,
    completionTokens: usage.completion_tokens,
    reasoningTokens: usage.completion_tokens_details?.reasoning_tokens ?? 0,
    cachedTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
  }
}
