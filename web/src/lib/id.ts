// Names nobody else has. `crypto.randomUUID` is missing on pages without TLS, as on a phone at home.

export function freshId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
