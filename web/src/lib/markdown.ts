// The model's markdown as a piece of the page. What the model writes is never live HTML: markup in it
// stays text, what markdown makes is cleaned once more, and pictures become links.
import DOMPurify from 'dompurify'
import hljs from 'highlight.js/lib/common'
import MarkdownIt, { type Env } from 'markdown-it'
import { addMath } from './math'

const MAX_HIGHLIGHTED_CHARS = 50_000

const markdown = new MarkdownIt({ html: false, linkify: true, breaks: false, highlight })
addMath(markdown)
markdown.renderer.rules.image = (tokens, index, options, env, self) => {
  const token = tokens[index]
  const words = self.renderInlineAsText(token?.children ?? [], options, env) || 'picture'
  return `<a href="${markdown.utils.escapeHtml(String(token?.attrGet('src') ?? ''))}">${markdown.utils.escapeHtml(words)}</a>`
}

DOMPurify.addHook('afterSanitizeAttributes', (node) => {
  if (node.nodeName !== 'A') return
  if (!/^(?:https?|mailto):/i.test(node.getAttribute('href') ?? '')) node.removeAttribute('href')
  node.setAttribute('rel', 'noopener noreferrer nofollow')
  node.setAttribute('target', '_blank')
})

function highlight(code: string, language: string): string {
  if (code.length > MAX_HIGHLIGHTED_CHARS || !hljs.getLanguage(language)) return ''
  return hljs.highlight(code, { language, ignoreIllegals: true }).value
}

interface Block {
  /** Changes when what it was made from does. */
  source: string
  html: () => string
}

/** The blocks at the top of a text, so that while it grows only its last ones are made anew. */
function blocksOf(text: string): Block[] {
  const env: Env = {}
  const tokens = markdown.parse(text, env)
  const lines = text.split(/\r\n?|\n/)
  const named = JSON.stringify(env.references ?? {}) // links by name may be told of far below
  const blocks: Block[] = []
  let start = 0
  for (const [index, token] of tokens.entries()) {
    if (token.level > 0 || token.nesting === 1) continue
    const group = tokens.slice(start, index + 1)
    const [from, to] = group[0]?.map ?? [0, lines.length]
    blocks.push({
      source: `${named}\n${lines.slice(from, to).join('\n')}`,
      html: () => markdown.renderer.render(group, markdown.options, env),
    })
    start = index + 1
  }
  return blocks
}

/** HTML as nodes, with nothing in it that runs, loads or looks like the page itself. */
function nodesOf(html: string): DocumentFragment {
  return DOMPurify.sanitize(html, {
    USE_PROFILES: { html: true, mathMl: true },
    FORBID_TAGS: ['form', 'input', 'button', 'select', 'textarea', 'style', 'img', 'video', 'audio', 'picture', 'dialog'],
    FORBID_ATTR: ['style', 'id', 'name'],
    ALLOW_DATA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  })
}

/** Shows a growing text in an element, and touches only the blocks that changed. */
export class MarkdownView {
  private shown: string[] = []

  constructor(
    private readonly root: HTMLElement,
    private readonly dress: (block: HTMLElement) => void,
  ) {}

  show(text: string): void {
    const blocks = blocksOf(text)
    for (const [index, { source, html }] of blocks.entries()) {
      if (this.shown[index] === source) continue
      const block = document.createElement('div')
      block.className = 'block'
      block.append(nodesOf(html()))
      this.dress(block)
      const old = this.root.children[index]
      if (old) old.replaceWith(block)
      else this.root.append(block)
    }
    while (this.root.children.length > blocks.length) this.root.lastElementChild?.remove()
    this.shown = blocks.map((one) => one.source)
  }
}
