// The state of the page: which conversations there are, the one that is shown, and what is done to it.
import { SvelteMap } from 'svelte/reactivity'
import { readModel, stopThinking } from './asking'
import { type ChatBody, chatBody } from './body'
import type { Bundle } from './exchange'
import { freshId } from './id'
import { Run } from './reply.svelte'
import { ServerError, useKey } from './server'
import { Store } from './store'
import { branchesOf, pathTo, ROOT, shownPath } from './tree'
import type { Conversation, Effort, Message, Model, Picture } from './types'
import { titleOf } from './words'

const SAVE_EVERY_MS = 1500

export interface Notice {
  text: string
  undo?: () => void
}

export class Chats {
  model = $state<Model | null>(null)
  conversations = $state<Conversation[]>([])
  current = $state<Conversation>(freshConversation('none'))
  messages = $state<Message[]>([])
  needsKey = $state(false)
  keepsNothing = $state(false)
  notice = $state<Notice | null>(null)
  /** Replies being written, by conversation. */
  readonly runs = new SvelteMap<string, Run>()

  readonly path = $derived(shownPath(this.messages, this.current.chosen))
  readonly branches = $derived(branchesOf(this.messages))
  readonly run = $derived(this.runs.get(this.current.id) ?? null)

  private store: Store | null = null
  private onceKeyed: (() => void) | null = null

  /** Open what the browser keeps, and ask the server who it is. */
  async start(): Promise<void> {
    this.store = await Store.open()
    this.keepsNothing = !this.store.keeps
    const found = await this.store.conversations()
    this.conversations = found.sort((a, b) => b.updated - a.updated)
    const wanted = found.find((one) => one.id === location.hash.slice(1))
    if (wanted) await this.open(wanted.id)
    await this.meet()
  }

  /** Learn which model is served; the page works, and says why, while nobody answers. */
  async meet(): Promise<void> {
    try {
      this.model = await readModel()
    } catch (error) {
      this.report(error)
    }
  }

  startNew(): void {
    this.current = freshConversation(this.current.effort)
    this.messages = []
    history.replaceState(null, '', location.pathname)
  }

  async open(id: string): Promise<void> {
    const conversation = this.conversations.find((one) => one.id === id)
    if (!conversation || !this.store) return
    const found = await this.store.messages(id)
    const live = this.runs.get(id)?.message
    this.current = conversation
    this.messages = found.map((one) => (one.id === live?.id ? live : one))
    for (const message of this.messages) {
      if (message.state === 'writing' && message.id !== live?.id) message.state = 'stopped'
    }
    history.replaceState(null, '', `#${id}`)
  }

  async send(text: string, pictures: Picture[]): Promise<void> {
    const parent = this.path.at(-1)?.id ?? null
    await this.addUser(parent, text, pictures)
  }

  /** Ask something else in the place of a question: a branch beside it. */
  async edit(message: Message, text: string, pictures: Picture[]): Promise<void> {
    await this.addUser(message.parent, text, pictures)
  }

  /** Answer once more: a branch beside the answer. */
  async regenerate(message: Message): Promise<void> {
    if (message.parent !== null) await this.answer(message.parent)
  }

  /** Try a reply that failed again, in its own place. */
  async retry(message: Message): Promise<void> {
    message.text = ''
    message.state = 'writing'
    delete message.thinking
    delete message.thinkingS
    delete message.calls
    delete message.stats
    delete message.problem
    message.effort = this.current.effort
    await this.write(message)
  }

  /** Give the results of tools, by call, and let the model go on. */
  async sendResults(message: Message, results: Record<string, string>): Promise<void> {
    let parent = message.id
    for (const call of message.calls ?? []) {
      const result: Message = { ...this.freshMessage('tool', parent), text: results[call.id] ?? '', callId: call.id }
      await this.add(result)
      parent = result.id
    }
    await this.answer(parent)
  }

  /** Show the branch that a message begins. */
  choose(message: Message): void {
    this.current.chosen[message.parent ?? ROOT] = message.id
    void this.keep()
  }

  stop(): void {
    this.run?.abort.abort()
  }

  async closeThinking(): Promise<void> {
    const { run } = this
    if (!run?.replyId || run.thinkingSince === null || run.isClosingThinking) return
    run.isClosingThinking = true
    try {
      await stopThinking(run.replyId)
    } catch (error) {
      run.isClosingThinking = false
      const isLate = error instanceof ServerError && (error.status === 404 || error.status === 409)
      if (!isLate) this.report(error)
    }
  }

  setEffort(effort: Effort): void {
    this.current.effort = effort
    void this.keep()
  }

  /** Keep changes of the conversation that is shown, once it has been begun. */
  async keep(): Promise<void> {
    if (this.isKept(this.current.id)) await this.kept(this.store?.saveConversation($state.snapshot(this.current)))
  }

  async rename(conversation: Conversation, title: string): Promise<void> {
    conversation.title = titleOf(title) || conversation.title
    await this.store?.saveConversation($state.snapshot(conversation))
  }

  async remove(conversation: Conversation): Promise<void> {
    this.runs.get(conversation.id)?.abort.abort()
    const bundle = await this.bundle(conversation)
    this.conversations = this.conversations.filter((one) => one.id !== conversation.id)
    if (this.current.id === conversation.id) this.startNew()
    await this.store?.remove(conversation.id)
    this.notice = { text: `“${conversation.title}” was deleted`, undo: () => void this.take([bundle]) }
  }

  /** A conversation with its messages, to be written into a file. */
  async bundle(conversation: Conversation): Promise<Bundle> {
    const messages = (await this.store?.messages(conversation.id)) ?? []
    return { conversation: $state.snapshot(conversation), messages }
  }

  /** Take in conversations that came from a file, or back from the bin. */
  async take(bundles: Bundle[]): Promise<void> {
    for (const { conversation, messages } of bundles) await this.store?.saveAll(conversation, messages)
    const all = [...this.conversations, ...bundles.map((one) => one.conversation)]
    this.conversations = all.sort((a, b) => b.updated - a.updated)
  }

  async search(words: string) {
    return (await this.store?.search(words)) ?? []
  }

  /** What the model would be sent after a message; with a draft, after that. Throws in words. */
  bodyAfter(id: string | null, draft?: { text: string; pictures: Picture[] }, effort?: Effort): ChatBody {
    const path = pathTo(this.messages, id)
    if (draft) path.push({ ...this.freshMessage('user', id), text: draft.text, pictures: draft.pictures })
    return chatBody(this.current, path, effort ?? this.current.effort)
  }

  giveKey(key: string, remember: boolean): void {
    useKey(key, remember)
    this.needsKey = false
    const next = this.onceKeyed
    this.onceKeyed = null
    if (!this.model) void this.meet()
    next?.()
  }

  /** Say what went wrong; a missing key is asked for, and then `again` is called. */
  report(error: unknown, again?: () => void): void {
    if (error instanceof ServerError && error.status === 401) {
      this.needsKey = true
      if (again) this.onceKeyed = again
      return
    }
    this.notice = { text: error instanceof Error ? error.message : String(error) }
    if (!(error instanceof Error)) throw error
  }

  private async addUser(parent: string | null, text: string, pictures: Picture[]): Promise<void> {
    const message: Message = { ...this.freshMessage('user', parent), text }
    if (pictures.length > 0) message.pictures = pictures
    if (!this.isKept(this.current.id)) this.begin(text)
    await this.add(message)
    await this.answer(message.id)
  }

  /** A conversation is kept from its first message on. */
  private begin(text: string): void {
    this.current.title = titleOf(text) || 'A picture'
    this.conversations.unshift(this.current)
    history.replaceState(null, '', `#${this.current.id}`)
  }

  private async add(message: Message): Promise<void> {
    this.messages.push(message)
    this.current.chosen[message.parent ?? ROOT] = message.id
    this.current.updated = Date.now()
    this.conversations = [...this.conversations].sort((a, b) => b.updated - a.updated)
    await this.kept(this.store?.saveMessage($state.snapshot(message)))
    await this.keep()
  }

  private async answer(parent: string): Promise<void> {
    const fresh: Message = { ...this.freshMessage('assistant', parent), state: 'writing', effort: this.current.effort }
    await this.add(fresh)
    const live = this.messages.find((one) => one.id === fresh.id)
    if (live) await this.write(live)
  }

  private async write(message: Message): Promise<void> {
    const conversation = this.current
    let body: ChatBody
    try {
      body = this.bodyAfter(message.parent, undefined, message.effort)
    } catch (error) {
      message.state = 'failed'
      message.problem = error instanceof Error ? error.message : String(error)
      return
    }
    const run = new Run(message)
    this.runs.set(conversation.id, run)
    const save = () => this.kept(this.store?.saveMessage($state.snapshot(message)))
    const timer = setInterval(() => void save(), SAVE_EVERY_MS)
    let refused: ServerError | null = null
    try {
      refused = await run.write(body)
    } finally {
      clearInterval(timer)
      this.runs.delete(conversation.id)
      if (this.isKept(conversation.id)) await save()
    }
    if (!refused && !this.model) void this.meet()
    if (refused?.status === 401) this.report(refused, () => void this.retry(message))
  }

  /** Wait until something is kept; a browser that has no room for it says so, and the talk goes on. */
  private async kept(change: Promise<void> | undefined): Promise<void> {
    try {
      await change
    } catch {
      this.keepsNothing = true
    }
  }

  private isKept(id: string): boolean {
    return this.conversations.some((one) => one.id === id)
  }

  private freshMessage(role: Message['role'], parent: string | null): Message {
    return {
      id: freshId(),
      conversation: this.current.id,
      parent,
      role,
      created: Date.now(),
      text: '',
      state: 'done',
    }
  }
}

function freshConversation(effort: Effort): Conversation {
  const now = Date.now()
  return {
    id: freshId(),
    title: 'New conversation',
    created: now,
    updated: now,
    effort,
    system: '',
    temperature: null,
    tools: '',
    chosen: {},
  }
}
