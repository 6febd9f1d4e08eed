// Numbers, times and titles as people read them.

const whole = new Intl.NumberFormat('en')

export function number(value: number): string {
  return whole.format(value)
}

/** A short time: `41 ms`, `1.2 s`. */
export function moment(valueS: number): string {
  return valueS < 0.9995 ? `${Math.round(valueS * 1000)} ms` : seconds(valueS)
}

/** Seconds: `0.4 s`, `12 s`, `3 min 5 s`. */
export function seconds(value: number): string {
  if (value < 9.95) return `${value.toFixed(1)} s`
  const rounded = Math.round(value)
  if (rounded < 60) return `${rounded} s`
  return `${Math.floor(rounded / 60)} min ${rounded % 60} s`
}

export function titleOf(text: string): string {
  const line = text.trim().split('\n')[0] ?? ''
  return line.length > 60 ? `${line.slice(0, 59).trimEnd()}…` : line
}

/** Which part of a list of conversations one belongs to. */
export function ageOf(time: number, now: number): string {
  const today = new Date(now).setHours(0, 0, 0, 0)
  const day = 86_400_000
  if (time >= today) return 'Today'
  if (time >= today - day) return 'Yesterday'
  if (time >= today - 7 * day) return 'This week'
  if (time >= today - 30 * day) return 'This month'
  return 'Earlier'
}
