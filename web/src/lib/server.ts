// Asking the server: with the key if there is one, and with its errors as words.

const KEY = 'bise-key'
let remembered = ''

/** A refusal of the server, or no answer at all (status 0). */
export class ServerError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly retryAfterS: number | null = null,
  ) {
    super(message)
  }
}

export function currentKey(): string {
  try {
    remembered ||= sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY) ?? ''
  } catch {
    // A browser that keeps nothing: the key lives as long as the page.
  }
  return remembered
}

/** Use a key from now on; `remember` keeps it after the browser is closed. An empty one forgets. */
export function useKey(key: string, remember: boolean): void {
  remembered = key
  try {
    sessionStorage.removeItem(KEY)
    localStorage.removeItem(KEY)
    if (key) (remember ? localStorage : sessionStorage).setItem(KEY, key)
  } catch {
    // As above.
  }
}

/** Ask; what is not a success is thrown as a `ServerError`. With a body it is a POST. */
export async function ask(path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { 'X-API-Dialect': 'openai' }
  const key = currentKey()
  if (key) headers.Authorization = `Bearer ${key}`
  const how: RequestInit = { headers, credentials: 'omit', cache: 'no-store' }
  if (signal) how.signal = signal
  if (body !== undefined) {
    how.method = 'POST'
    how.body = JSON.stringify(body)
    headers['Content-Type'] = 'application/json'
  }
  let answer: Response
  try {
    answer = await fetch(new URL(path, document.baseURI), how)
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ServerError(0, 'The server cannot be reached. Is it running, and is this machine online?')
  }
  if (!answer.ok) throw await refusal(answer)
  return answer
}

async function refusal(answer: Response): Promise<ServerError> {
  const wait = Number(answer.headers.get('Retry-After'))
  const retryAfterS = answer.headers.has('Retry-After') && Number.isFinite(wait) ? wait : null
  let said = ''
  try {
    said = messageOf(await answer.json())
  } catch {
    // Something between us and the server answered; its page says nothing to a reader.
  }
  return new ServerError(answer.status, inWords(answer.status, said, retryAfterS), retryAfterS)
}

/** The message of an error's body, in any of its shapes. */
export function messageOf(body: unknown): string {
  const one = body as { message?: unknown; error?: { message?: unknown } } | null
  const found = one?.error?.message ?? one?.message
  return typeof found === 'string' ? found : ''
}

function inWords(status: number, said: string, waitS: number | null): string {
  const later = waitS === null ? 'in a moment' : `in ${waitS} s`
  const words: Record<number, string> = {
    401: 'This server wants a key',
    403: 'The server does not let this page in',
    413: 'This is more than the server takes at once',
    429: `The server has too much to do; try again ${later}`,
    502: `The server behind this address is not there; try again ${later}`,
    503: `The model is not ready; try again ${later}`,
    504: 'It took too long, so the server gave up',
  }
  const first = words[status] ?? (status >= 500 ? 'The server failed' : 'The server cannot take this')
  return said ? `${first}: ${said}` : first
}
