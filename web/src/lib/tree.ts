// A conversation is a tree of messages; what is shown is one path from its root to a leaf.
import type { Message } from './types'

export const ROOT = 'root'

export type Chosen = Record<string, string>

/** Messages by what they answer, oldest first. */
export function branchesOf(messages: Message[]): Map<string, Message[]> {
  const found = new Map<string, Message[]>()
  for (const message of messages) {
    const parent = message.parent ?? ROOT
    const siblings = found.get(parent)
    if (siblings) siblings.push(message)
    else found.set(parent, [message])
  }
  for (const siblings of found.values()) siblings.sort((a, b) => a.created - b.created)
  return found
}

/** The path that is shown: where there are branches the chosen one, else the newest. */
export function shownPath(messages: Message[], chosen: Chosen): Message[] {
  const branches = branchesOf(messages)
  const path: Message[] = []
  let place = ROOT
  for (;;) {
    const siblings = branches.get(place)
    if (!siblings) return path
    const next = siblings.find((one) => one.id === chosen[place]) ?? siblings.at(-1)
    if (!next || path.includes(next)) return path
    path.push(next)
    place = next.id
  }
}

/** From the root to a message, itself included. */
export function pathTo(messages: Message[], id: string | null): Message[] {
  const byId = new Map(messages.map((one) => [one.id, one]))
  const path: Message[] = []
  let next = id === null ? undefined : byId.get(id)
  while (next && !path.includes(next)) {
    path.unshift(next)
    next = next.parent === null ? undefined : byId.get(next.parent)
  }
  return path
}
