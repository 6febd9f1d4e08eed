// Messages of the page as the chat door takes them.
import type { Conversation, Effort, Message } from './types'

export interface ChatBody {
  messages: Record<string, unknown>[]
  reasoning_effort: Effort
  temperature?: number
  tools?: unknown[]
}

/** The body of a chat that goes on after `path`. */
export function chatBody(talk: Pick<Conversation, 'system' | 'temperature' | 'tools'>, path: Message[], effort: Effort): ChatBody {
  const messages = path.flatMap((message) => {
    const one = wireMessage(message)
    return one ? [one] : []
  })
  if (talk.system.trim()) messages.unshift({ role: 'system', content: talk.system })
  const body: ChatBody = { messages, reasoning_effort: effort }
  if (talk.temperature !== null) body.temperature = talk.temperature
  const tools = talk.tools.trim() ? readTools(talk.tools) : []
  if (tools.length > 0) body.tools = tools
  return body
}

/** One message; null for an answer that never came. */
function wireMessage(message: Message): Record<string, unknown> | null {
  if (message.role === 'tool') {
    return { role: 'tool', tool_call_id: message.callId, content: message.text }
  }
  if (message.role === 'user') return { role: 'user', content: userContent(message) }
  const calls = message.calls ?? []
  if (!message.text && calls.length === 0) return null
  const wire: Record<string, unknown> = { role: 'assistant', content: message.text || null }
  if (message.thinking) wire.reasoning_content = message.thinking
  if (calls.length > 0) {
    wire.tool_calls = calls.map(({ id, name, arguments: given }) => ({
      id,
      type: 'function',
      function: { name, arguments: given },
    }))
  }
  return wire
}

function userContent(message: Message): unknown {
  const pictures = message.pictures ?? []
  if (pictures.length === 0) return message.text
  const parts: unknown[] = pictures.map(({ data }) => ({ type: 'image_url', image_url: { url: data } }))
  if (message.text) parts.push({ type: 'text', text: message.text })
  return parts
}

/** Tools as a user typed them. Throws an `Error` in words. */
export function readTools(text: string): unknown[] {
  let found: unknown
  try {
    found = JSON.parse(text)
  } catch {
    throw new Error('The tools are not JSON: they should be a list of functions')
  }
  if (!Array.isArray(found)) throw new Error('The tools should be a JSON list, such as [{"type": "function", …}]')
  for (const [index, tool] of found.entries()) {
    const name: unknown = tool?.function?.name ?? tool?.name
    if (typeof name !== 'string') throw new Error(`Tool ${index + 1} has no name: it should be {"type": "function", "function": {"name": …}}`)
  }
  return found
}
