// One reply while it is written: what comes is put into its message, with the time it took.
import type { ChatBody } from './body'
import { ServerError } from './server'
import { type Piece, streamReply, type Usage } from './stream'
import type { Message } from './types'

export class Run {
  readonly message: Message
  readonly abort = new AbortController()
  /** The server's name for the reply, once it has begun. */
  replyId = $state('')
  /** When thinking began, while it lasts (`performance.now()`). */
  thinkingSince = $state<number | null>(null)
  isClosingThinking = $state(false)
  usage = $state<Usage | null>(null)

  private readonly sentAt = performance.now()
  private firstAt: number | null = null
  private lastAt = 0

  constructor(message: Message) {
    this.message = message
  }

  /** Write until the end, a stop or an error, which is then in the message. Gives a `ServerError` back. */
  async write(body: ChatBody): Promise<ServerError | null> {
    const { message } = this
    try {
      for await (const piece of streamReply(body, this.abort.signal)) this.take(piece)
      return null
    } catch (error) {
      if (this.abort.signal.aborted) {
        message.state = 'stopped'
        return null
      }
      if (!(error instanceof ServerError)) throw error
      message.state = 'failed'
      message.problem = error.message
      return error
    } finally {
      if (message.state === 'writing') message.state = 'failed' // our own bug; the message must not hang
      this.endThinking()
      this.count()
    }
  }

  private take(piece: Piece): void {
    const { message } = this
    this.replyId ||= piece.id
    if (piece.usage) this.usage = piece.usage
    if (piece.text || piece.thinking || piece.calls.length > 0) {
      this.lastAt = performance.now()
      this.firstAt ??= this.lastAt
    }
    if (piece.thinking) {
      this.thinkingSince ??= performance.now()
      message.thinking = (message.thinking ?? '') + piece.thinking
    }
    if (piece.text || piece.calls.length > 0) this.endThinking()
    if (piece.text) message.text += piece.text
    if (piece.calls.length > 0) message.calls = [...(message.calls ?? []), ...piece.calls]
    if (piece.finish !== null) message.state = piece.finish === 'length' ? 'cut' : 'done'
  }

  private endThinking(): void {
    if (this.thinkingSince === null) return
    this.message.thinkingS = (performance.now() - this.thinkingSince) / 1000
    this.thinkingSince = null
  }

  private count(): void {
    if (!this.usage || this.firstAt === null) return
    this.message.stats = {
      ...this.usage,
      firstTokenS: (this.firstAt - this.sentAt) / 1000,
      writingS: (this.lastAt - this.firstAt) / 1000,
    }
  }
}
