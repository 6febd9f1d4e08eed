// Conversations in the browser's own database; nothing of them is kept by the server.
import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import type { Conversation, Message } from './types'

interface Tables extends DBSchema {
  conversations: { key: string; value: Conversation }
  messages: { key: string; value: Message; indexes: { conversation: string } }
}

export interface Hit {
  conversation: string
  snippet: string
}

const SNIPPET_CHARS = 80

export class Store {
  private constructor(private readonly db: IDBPDatabase<Tables> | null) {}

  /** Open the database. A browser that has none, or forbids it, gets a store that forgets. */
  static async open(): Promise<Store> {
    try {
      const db = await openDB<Tables>('bise', 1, {
        upgrade(fresh) {
          fresh.createObjectStore('conversations', { keyPath: 'id' })
          fresh.createObjectStore('messages', { keyPath: 'id' }).createIndex('conversation', 'conversation')
        },
        blocking: (_, __, event) => (event.target as IDBDatabase).close(),
      })
      return new Store(db)
    } catch {
      return new Store(null)
    }
  }

  get keeps(): boolean {
    return this.db !== null
  }

  async conversations(): Promise<Conversation[]> {
    return (await this.db?.getAll('conversations')) ?? []
  }

  async messages(conversation: string): Promise<Message[]> {
    return (await this.db?.getAllFromIndex('messages', 'conversation', conversation)) ?? []
  }

  async saveConversation(conversation: Conversation): Promise<void> {
    await this.db?.put('conversations', conversation)
  }

  async saveMessage(message: Message): Promise<void> {
    await this.db?.put('messages', message)
  }

  /** Keep a whole conversation, or none of it. */
  async saveAll(conversation: Conversation, messages: Message[]): Promise<void> {
    if (!this.db) return
    const change = this.db.transaction(['conversations', 'messages'], 'readwrite')
    const puts: Promise<unknown>[] = messages.map((one) => change.objectStore('messages').put(one))
    puts.push(change.objectStore('conversations').put(conversation), change.done)
    await Promise.all(puts)
  }

  async remove(conversation: string): Promise<void> {
    if (!this.db) return
    const change = this.db.transaction(['conversations', 'messages'], 'readwrite')
    const messages = change.objectStore('messages')
    const keys = await messages.index('conversation').getAllKeys(conversation)
    const removals: Promise<unknown>[] = keys.map((key) => messages.delete(key))
    removals.push(change.objectStore('conversations').delete(conversation), change.done)
    await Promise.all(removals)
  }

  /** Conversations in which a message has these words, each with the first place. */
  async search(words: string): Promise<Hit[]> {
    const wanted = words.toLowerCase()
    const hits = new Map<string, Hit>()
    let cursor = await this.db?.transaction('messages').store.openCursor()
    while (cursor) {
      const { conversation, text } = cursor.value
      const at = text.toLowerCase().indexOf(wanted)
      if (at >= 0 && !hits.has(conversation)) hits.set(conversation, { conversation, snippet: around(text, at) })
      cursor = await cursor.continue()
    }
    return [...hits.values()]
  }
}

function around(text: string, at: number): string {
  const start = Math.max(0, at - 24)
  const cut = text.slice(start, start + SNIPPET_CHARS).replace(/\s+/g, ' ')
  return `${start > 0 ? '…' : ''}${cut}${start + SNIPPET_CHARS < text.length ? '…' : ''}`
}
