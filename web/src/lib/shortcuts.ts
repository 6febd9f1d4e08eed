// What keys do, told once: the page listens by this list, and the help sheet shows it.

export interface Shortcut {
  keys: string[]
  what: string
  matches: (event: KeyboardEvent) => boolean
  name: string
}

const isMac = /Mac|iPhone|iPad/.test(navigator.platform)
const MOD = isMac ? '⌘' : 'Ctrl'

function hasMod(event: KeyboardEvent): boolean {
  return (isMac ? event.metaKey : event.ctrlKey) && !event.altKey
}

/** Whether a key is typed into a field, where letters are letters. */
export function isTyping(event: KeyboardEvent): boolean {
  return event.target instanceof Element && event.target.closest('input, textarea, [contenteditable]') !== null
}

/** Whether a key only ends a word of an input method. Safari says so by the code alone. */
export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229
}

export const SHORTCUTS: Shortcut[] = [
  { name: 'new', keys: [MOD, 'Shift', 'O'], what: 'a new conversation', matches: (e) => hasMod(e) && e.shiftKey && e.code === 'KeyO' },
  { name: 'search', keys: [MOD, 'K'], what: 'search', matches: (e) => hasMod(e) && !e.shiftKey && e.code === 'KeyK' },
  { name: 'list', keys: [MOD, 'B'], what: 'show or hide the conversations', matches: (e) => hasMod(e) && !e.shiftKey && e.code === 'KeyB' },
  { name: 'effort', keys: [MOD, 'Shift', 'E'], what: 'think first, or answer at once', matches: (e) => hasMod(e) && e.shiftKey && e.code === 'KeyE' },
  { name: 'stop-thinking', keys: [MOD, '.'], what: 'stop thinking and answer', matches: (e) => hasMod(e) && e.key === '.' },
  { name: 'stop', keys: ['Esc'], what: 'stop the answer', matches: (e) => e.key === 'Escape' },
  { name: 'help', keys: ['?'], what: 'this sheet', matches: (e) => e.key === '?' && !isTyping(e) },
]

export const FIELD_KEYS: Pick<Shortcut, 'keys' | 'what'>[] = [
  { keys: ['Enter'], what: 'send' },
  { keys: ['Shift', 'Enter'], what: 'a new line' },
  { keys: ['↑'], what: 'in an empty field: edit the last question' },
]
