// What a conversation is made of, as it lies in the browser and in exported files.

export type Role = 'user' | 'assistant' | 'tool'
export type Effort = 'none' | 'high'
export type State = 'writing' | 'done' | 'stopped' | 'cut' | 'failed'

export interface Picture {
  name: string
  /** A data: URL. */
  data: string
  width: number
  height: number
}

export interface ToolCall {
  id: string
  name: string
  /** JSON, as the model wrote it. */
  arguments: string
}

export interface Stats {
  promptTokens: number
  completionTokens: number
  reasoningTokens: number
  cachedTokens: number
  /** Seconds from sending to the first token, and from there to the last. */
  firstTokenS: number
  writingS: number
}

export interface Message {
  id: string
  conversation: string
  /** The message this one answers; null begins a conversation. Siblings are branches. */
  parent: string | null
  role: Role
  created: number
  text: string
  state: State
  pictures?: Picture[]
  thinking?: string
  /** Seconds of thinking, when it is over. */
  thinkingS?: number
  calls?: ToolCall[]
  /** Of a tool's result: which call it answers. */
  callId?: string
  effort?: Effort
  stats?: Stats
  /** What went wrong, in words. */
  problem?: string
}

export interface Conversation {
  id: string
  title: string
  created: number
  updated: number
  effort: Effort
  system: string
  /** null is the server's own. */
  temperature: number | null
  /** A JSON list of tools, as chat completions take them; empty is none. */
  tools: string
  /** Which branch is shown: a message's id (or `root`) to that of its child. */
  chosen: Record<string, string>
}

export interface Model {
  id: string
  contextTokens: number
  hasVision: boolean
}
