// A search for proofs, watched as it goes on. What Lean or a model wrote becomes text, never markup.

const KEY = 'bise-key' // as the chat calls it: one key for both
const THEME = 'bise-theme'
const RUNS = 'bise-prove-runs'
const KINDS = ['began', 'stage', 'tried', 'closed', 'explored', 'suggested', 'stalled', 'sketch', 'focus', 'compacted', 'verdict', 'ended', 'call', 'tool', 'check']
const UNNAMED = 'Proof.lean'
const RETRY_S = [1, 2, 4, 8, 15]
const part = (id) => document.getElementById(id)

let shown = null // the search in view: what the server tells of it
let watching = null // ends the stream of events
let fileName = UNNAMED
let served = ''
let heldKey = ''
let listed = [] // searches the server knows of, the newest first

// --- what the browser keeps; one that keeps nothing still works

function kept(store, name) {
  try {
    return store.getItem(name) ?? ''
  } catch {
    return ''
  }
}

function keep(store, name, value) {
  try {
    if (value) store.setItem(name, value)
    else store.removeItem(name)
  } catch {
    // It holds until the page is closed.
  }
}

function currentKey() {
  heldKey ||= kept(sessionStorage, KEY) || kept(localStorage, KEY)
  return heldKey
}

function earlierRuns() {
  try {
    const found = JSON.parse(kept(sessionStorage, RUNS) || '[]')
    return found.filter((one) => typeof one.id === 'string' && typeof one.name === 'string')
  } catch {
    return []
  }
}

// --- the server

class Refusal extends Error {
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

async function ask(path, { method = 'GET', body, signal, headers = {} } = {}) {
  const sent = { 'X-API-Dialect': 'openai', ...headers }
  if (currentKey()) sent.Authorization = `Bearer ${currentKey()}`
  if (body !== undefined) sent['Content-Type'] = 'application/json'
  let answer
  try {
    answer = await fetch(new URL(path, document.baseURI), {
      method, headers: sent, signal, body: body === undefined ? undefined : JSON.stringify(body), credentials: 'omit', cache: 'no-store',
    })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new Refusal(0, 'The server cannot be reached. Is it running, and is this machine online?')
  }
  if (answer.ok) return answer
  const told = await answer.json().catch(() => null)
  throw new Refusal(answer.status, typeof told?.message === 'string' ? told.message : `The server answered ${answer.status}`)
}

/** Events one by one: their kind, their data, their number if they have one. */
async function* events(bytes) {
  const reader = bytes.pipeThrough(new TextDecoderStream()).getReader()
  let held = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      const blocks = (held + value).split('\n\n')
      held = blocks.pop()
      for (const block of blocks) {
        const fields = new Map(block.split('\n').map((line) => line.match(/^(\w+): ?(.*)$/)?.slice(1) ?? ['', '']))
        if (fields.has('data')) yield { kind: fields.get('event'), data: JSON.parse(fields.get('data')), number: fields.get('id') }
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000))

/** Follow a search to its end; a line that breaks is taken up again where it broke. */
async function watch(id) {
  watching?.abort()
  const { signal } = (watching = new AbortController())
  clear()
  let last = '0'
  for (let failed = 0; !signal.aborted; failed += 1) {
    try {
      const answer = await ask(`v1/prove/${id}/events`, { signal, headers: { 'Last-Event-ID': last } })
      tell('')
      for await (const { kind, data, number } of events(answer.body)) {
        if (signal.aborted) return
        failed = 0
        if (number !== undefined) last = number
        if (kind === 'happened') addEvent(data)
        else if (kind === 'seen') show({ ...shown, ...data })
        else if (kind === 'end') return
      }
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof Refusal && error.status >= 400 && error.status < 500 && error.status !== 429) {
        refused(error)
        if (error.status === 404) leave(id)
        return
      }
    }
    tell('The line to the server broke; trying again …')
    await pause(RETRY_S[Math.min(failed, RETRY_S.length - 1)])
  }
}

// --- what is shown

function tell(words) {
  part('notice').textContent = words
  part('notice').hidden = !words
}

function refused(error) {
  if (error.status === 401) part('key-sheet').showModal()
  tell(error.message)
}

function element(name, text = '', kind = '') {
  const made = document.createElement(name)
  made.textContent = text
  if (kind) made.className = kind
  return made
}

function clear() {
  shown = {}
  part('events').replaceChildren()
  for (const id of ['goals', 'messages', 'meters', 'diff']) part(id).replaceChildren()
}

const STATES = { waiting: 'waiting', running: 'searching', stopping: 'stopping after this step', interrupted: 'interrupted', ended: 'ended' }
const OUTCOMES = { proved: 'Proved: the judge accepted it', disproved: 'Disproved: the judge accepted a proof of the negation', open: 'Open' }

const ENDINGS = {
  'budget: minutes': 'its time is up',
  'budget: tokens': 'the tokens are spent',
  silent: 'the model works no further',
  model: 'the model does not answer',
}

const isOver = (state) => state === 'ended' || state === 'interrupted'

function show(next) {
  const before = shown
  shown = next
  const changed = (...names) => names.some((name) => before[name] !== next[name])
  part('run').hidden = false
  part('name').textContent = next.name
  document.title = `${next.name} · ${STATES[next.state]} · Bise`
  part('state').textContent = next.state === 'waiting' && next.place > 0 ? `waiting, ${next.place} before it` : STATES[next.state]
  part('note').textContent = next.state === 'interrupted' ? 'The server was stopped before this search ended; what it had found is kept.' : next.note
  const stop = part('stop')
  stop.textContent = isOver(next.state) ? 'Forget' : 'Stop'
  stop.disabled = next.state === 'stopping'
  part('resume').hidden = next.state !== 'interrupted'
  if (changed('goals')) showGoals(next.goals)
  if (changed('messages', 'last_try')) showMessages(next)
  if (changed('used', 'elapsed_s', 'attempts', 'stage', 'goals')) showMeters(next)
  if (changed('diff')) showDiff(next.diff)
  if (changed('result')) showResult(next)
  if (changed('state')) rememberRun(next)
  if (changed('id')) part('run').scrollIntoView()
}

function showGoals(goals) {
  const rows = goals.map((goal) => {
    const row = element('li', '', goal.open ? 'open' : 'closed')
    row.append(element('b', goal.name), ` ${goal.open ? `open, line ${goal.line}` : 'closed'}`, element('pre', goal.text))
    return row
  })
  part('goals').replaceChildren(...(rows.length ? rows : [element('li', 'None is known yet.', 'empty')]))
}

function showMessages({ messages, last_try: last }) {
  const rows = messages.map((one) => {
    const row = element('li', '', one.severity)
    row.append(element('b', `${one.severity}, line ${one.line}, column ${one.column}`), element('pre', one.text))
    return row
  })
  part('messages').replaceChildren(...(rows.length ? rows : [element('li', 'Nothing.', 'empty')]))
  part('last-try').textContent = last ? `Of the last try: ${last}` : ''
}

const number = (value) => Math.round(value).toLocaleString('en')

function clock(seconds) {
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}

function showMeters({ stage, goals, elapsed_s: elapsed, limits, used, attempts, model }) {
  const closed = goals.filter((one) => !one.open).length
  const tokens = used.prompt_tokens + used.output_tokens
  const rows = [
    ['Stage', stage || 'begin', null],
    ['Goals', `${goals.length - closed} open, ${closed} closed`, null],
    ['Time', `${clock(elapsed)} of ${clock(limits.minutes * 60)}`, elapsed / (limits.minutes * 60)],
    ['Checks of Lean', `${number(used.checks)}, ${number(used.check_cpu_s)} CPU s`, null],
  ]
  if (model) {
    rows.push(['Tokens', `${number(tokens)} of ${number(limits.tokens)}`, tokens / limits.tokens])
    rows.push(['Attempts', `${attempts} of ${limits.attempts}`, attempts / limits.attempts])
  }
  part('meters').replaceChildren(...rows.map(([label, words, share]) => {
    const row = element('div')
    row.append(element('dt', label), element('dd', words))
    if (share !== null) {
      const bar = element('progress')
      bar.max = 1
      bar.value = Math.min(1, share)
      bar.setAttribute('aria-label', label)
      row.append(bar)
    }
    return row
  }))
}

function showDiff(diff) {
  const kinds = { '+': 'added', '-': 'removed', '@': 'place' }
  const lines = diff.split('\n').map((line) => element('span', `${line}\n`, kinds[line[0]] ?? ''))
  part('diff').replaceChildren(...(diff ? lines : [element('span', 'Nothing yet.', 'empty')]))
}

function showResult({ result }) {
  part('verdict').hidden = !result
  if (!result) return
  const isProved = result.certificate
  part('verdict').classList.toggle('proved', isProved)
  part('outcome').textContent = isProved ? OUTCOMES[result.outcome] : `${OUTCOMES.open}: ${ENDINGS[result.ended_by] ?? result.ended_by}`
  const grounds = []
  if (result.verdict?.kernel) grounds.push(`checked by ${result.verdict.kernel} (${result.verdict.backend})`)
  if (result.verdict?.axioms?.length) grounds.push(`axioms: ${result.verdict.axioms.join(', ')}`)
  if (result.rejected) grounds.push(`${result.rejected} candidates compiled and were rejected`)
  part('grounds').textContent = grounds.join(' · ')
  part('certificate').hidden = !result.certificate
}

function addEvent({ at_s: at, kind, words }) {
  const list = part('events')
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40
  const row = element('li')
  row.append(element('span', `${at.toFixed(1)} s`, 'at'), element('b', KINDS.includes(kind) ? kind : 'event'), ` ${words}`)
  list.append(row)
  while (list.childElementCount > 1000) list.firstElementChild.remove()
  if (isAtEnd) list.scrollTop = list.scrollHeight
}

// --- several searches

function rememberRun({ id, name, state, result }) {
  if (!id) return
  const runs = earlierRuns().filter((one) => one.id !== id)
  const outcome = result?.outcome
  keep(sessionStorage, RUNS, JSON.stringify([...runs, { id, name, state, outcome }].slice(-20)))
  showRuns()
}

async function listRuns() {
  try {
    listed = (await (await ask('v1/prove')).json()).data
    const now = new Map(listed.map((one) => [one.id, one])) // a server that was stopped knows better
    keep(sessionStorage, RUNS, JSON.stringify(earlierRuns().map((one) => now.get(one.id) ?? one)))
  } catch {
    listed = [] // not told to strangers; those of this tab are known all the same
  }
  showRuns()
}

function leave(id) {
  listed = listed.filter((one) => one.id !== id)
  keep(sessionStorage, RUNS, JSON.stringify(earlierRuns().filter((one) => one.id !== id)))
  showRuns()
  part('run').hidden = true
  document.title = 'Prove · Bise'
  history.replaceState(null, '', location.pathname)
}

function showRuns() {
  const here = new Map(earlierRuns().map((one) => [one.id, one]))
  const others = listed.filter((one) => !here.has(one.id)).reverse()
  const runs = [...others, ...here.values()]
  part('earlier').hidden = runs.length === 0
  part('runs').replaceChildren(...runs.map((one) => {
    const row = element('li')
    const link = element('a', one.name)
    link.href = `#${one.id}`
    if (location.hash === link.hash) link.setAttribute('aria-current', 'page')
    row.append(link, ` ${one.outcome ?? STATES[one.state] ?? ''}`)
    return row
  }))
}

function follow() {
  const id = location.hash.slice(1)
  showRuns()
  if (/^[\w-]{1,64}$/.test(id)) watch(id)
}

// --- what a person does

async function start(submitted) {
  submitted.preventDefault()
  const withModel = new FormData(part('ask')).get('who') === 'model'
  const body = { source: part('source').value, name: fileName, minutes: Number(part('minutes').value) }
  if (withModel) Object.assign(body, { model: served, tokens: Number(part('tokens').value), attempts: Number(part('attempts').value) })
  part('start').disabled = true
  try {
    const { id } = await (await ask('v1/prove', { method: 'POST', body })).json()
    tell('')
    location.hash = id
  } catch (error) {
    refused(error)
  } finally {
    part('start').disabled = false
  }
}

async function stop() {
  const { id, state } = shown
  try {
    await ask(`v1/prove/${id}`, { method: 'DELETE' })
    if (isOver(state)) leave(id)
  } catch (error) {
    refused(error)
  }
}

async function resume() {
  const { id } = shown
  try {
    await ask(`v1/prove/${id}/resume`, { method: 'POST' })
    watch(id)
  } catch (error) {
    refused(error)
  }
}

function save(content, name) {
  const link = element('a')
  link.href = URL.createObjectURL(content)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

async function saveCertificate() {
  try {
    save(await (await ask(`v1/prove/${shown.id}/certificate`)).blob(), 'certificate.zip')
  } catch (error) {
    refused(error)
  }
}

function saveProof() {
  const name = shown.name.replace(/\.lean$/, '')
  const suffix = shown.result.certificate ? shown.result.outcome : 'open'
  save(new Blob([shown.result.text], { type: 'text/plain' }), `${name}.${suffix}.lean`)
}

async function take(file) {
  if (!file) return
  if (file.size > 128 * 1024) {
    tell(`${file.name} has ${number(file.size)} bytes, at most ${number(128 * 1024)}`)
    return
  }
  part('source').value = await file.text()
  fileName = file.name.replace(/[^\w.@ ()+-]/g, '_').slice(0, 100)
}

function useKey() {
  if (part('key-sheet').returnValue !== 'use') return
  heldKey = part('key-field').value.trim()
  part('key-field').value = ''
  keep(sessionStorage, KEY, '')
  keep(localStorage, KEY, '')
  keep(part('key-kept').checked ? localStorage : sessionStorage, KEY, heldKey)
  tell('')
  nameModel()
  listRuns()
  follow()
}

function turnTheme() {
  const next = { '': 'dark', dark: 'light', light: '' }[document.documentElement.dataset.theme ?? '']
  keep(localStorage, THEME, next)
  applyTheme()
}

function applyTheme() {
  const found = kept(localStorage, THEME)
  if (found === 'light' || found === 'dark') document.documentElement.dataset.theme = found
  else delete document.documentElement.dataset.theme
  part('theme').textContent = `Theme: ${document.documentElement.dataset.theme ?? 'system'}`
}

async function nameModel() {
  try {
    served = (await (await ask('v1/models')).json()).data[0].id
    part('model').textContent = `${served} as well`
  } catch (error) {
    refused(error)
  }
}

function showLimits() {
  const withModel = new FormData(part('ask')).get('who') === 'model'
  for (const one of document.querySelectorAll('.for-model')) one.hidden = !withModel
}

const source = part('source')
part('ask').addEventListener('submit', start)
part('ask').addEventListener('change', showLimits)
part('file').addEventListener('change', (event) => take(event.target.files[0]))
part('stop').addEventListener('click', stop)
part('resume').addEventListener('click', resume)
part('proof').addEventListener('click', saveProof)
part('certificate').addEventListener('click', saveCertificate)
part('theme').addEventListener('click', turnTheme)
part('key').addEventListener('click', () => part('key-sheet').showModal())
part('key-sheet').addEventListener('close', useKey)
source.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) part('ask').requestSubmit()
})
source.addEventListener('dragover', (event) => {
  event.preventDefault()
  source.classList.add('over')
})
source.addEventListener('dragleave', () => source.classList.remove('over'))
source.addEventListener('drop', (event) => {
  source.classList.remove('over')
  if (event.dataTransfer.files.length === 0) return
  event.preventDefault()
  take(event.dataTransfer.files[0])
})
source.addEventListener('input', () => {
  if (!source.value) fileName = UNNAMED
})
addEventListener('hashchange', follow)
applyTheme()
showLimits()
nameModel()
listRuns()
follow()
