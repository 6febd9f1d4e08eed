// Formulas in markdown: $…$, $$…$$, \(…\) and \[…\], drawn as MathML, which needs neither fonts nor
// inline styles and is read aloud by screen readers.
import katex from 'katex'
import type { MarkdownIt, StateBlock, StateInline } from 'markdown-it'

const PAIRS = [
  ['\\(', '\\)'],
  ['\\[', '\\]'],
  ['$$', '$$'],
  ['$', '$'],
] as const

export function addMath(markdown: MarkdownIt): void {
  markdown.inline.ruler.before('escape', 'formula', inlineFormula)
  markdown.block.ruler.before('fence', 'formula', blockFormula, {
    alt: ['paragraph', 'reference', 'blockquote', 'list'],
  })
  markdown.renderer.rules.formula = (tokens, index) => draw(tokens[index]?.content ?? '', false)
  markdown.renderer.rules.formula_block = (tokens, index) => `<p class="formula">${draw(tokens[index]?.content ?? '', true)}</p>`
}

function draw(formula: string, displayMode: boolean): string {
  const drawn = katex.renderToString(formula, {
    displayMode,
    output: 'mathml',
    throwOnError: false,
    trust: false,
    strict: 'ignore',
    maxExpand: 200,
    maxSize: 20,
  })
  return drawn.replace(/<annotation\b[\s\S]*?<\/annotation>/g, '') // the source, which would be shown
}

function inlineFormula(state: StateInline, silent: boolean): boolean {
  const { src, pos } = state
  const pair = PAIRS.find(([begin]) => src.startsWith(begin, pos))
  if (!pair) return false
  const [open, close] = pair
  const start = pos + open.length
  const end = src.indexOf(close, start)
  if (end <= start || end >= state.posMax) return false
  const inside = src.slice(start, end)
  if (open === '$' && !looksLikeFormula(inside, src[end + 1])) return false
  if (!silent) state.push('formula', '', 0).content = inside
  state.pos = end + close.length
  return true
}

/** `$5 and $6` is money: a formula touches its dollars, and no digit follows the last. */
function looksLikeFormula(inside: string, after: string | undefined): boolean {
  return !/^\s|\s$|\n\n/.test(inside) && !/\d/.test(after ?? '')
}

function blockFormula(state: StateBlock, startLine: number, endLine: number, silent: boolean): boolean {
  const line = (at: number) => state.src.slice((state.bMarks[at] ?? 0) + (state.tShift[at] ?? 0), state.eMarks[at] ?? 0)
  const first = line(startLine).trim()
  const pair = PAIRS.slice(1, 3).find(([begin]) => first.startsWith(begin))
  if (!pair) return false
  const [open, close] = pair
  const found: string[] = []
  for (let at = startLine; at < endLine; at++) {
    let text = at === startLine ? first.slice(2) : line(at).trimEnd()
    const end = text.indexOf(close)
    if (end >= 0) {
      if (text.slice(end + 2).trim() !== '') return false
      text = text.slice(0, end)
    }
    found.push(text)
    if (end < 0) continue
    if (silent) return true
    const token = state.push('formula_block', 'math', 0)
    token.content = found.join('\n')
    token.markup = open
    token.map = [startLine, at + 1]
    state.line = at + 1
    return true
  }
  return false
}
