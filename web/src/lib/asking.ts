// The small questions beside a chat: which model, how many tokens, what does it really see.
import type { ChatBody } from './body'
import { ask } from './server'
import type { Model } from './types'

export async function readModel(): Promise<Model> {
  const { data } = await (await ask('v1/models')).json()
  const card = data[0]
  return {
    id: card.id,
    contextTokens: card.max_model_len,
    hasVision: card.capabilities?.vision === true,
  }
}

export async function countTokens(body: ChatBody, signal: AbortSignal): Promise<number> {
  return (await (await ask('tokenize', body, signal)).json()).count
}

/** How many tokens one picture is to this model. */
export async function pictureTokens(data: string): Promise<number> {
  const messages = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: data } }] }]
  const { token_strs: texts } = await (await ask('tokenize', { messages, return_token_strs: true })).json()
  return texts.filter((text: string) => text.startsWith('[IMG')).length
}

/** The tokens of a prompt, as texts: what the model really sees. */
export async function renderPrompt(body: ChatBody): Promise<string[]> {
  return (await (await ask('render', body)).json()).token_strs
}

/** Let a running reply close its thinking and answer. */
export async function stopThinking(id: string): Promise<void> {
  await ask(`v1/chat/completions/${encodeURIComponent(id)}/stop_thinking`, {})
}
