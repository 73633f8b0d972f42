/** 12,345 */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

/** As many digits as say something: 0.12, 3.45, 67.8, 1,234. */
export function figure(value: number): string {
  if (value === 0) return '0'
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** Beside an axis: 0, 0.5, 2.5, 1,500. */
export function tick(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 4 })
}

/** 45.2 s, 3 min 20 s */
export function duration(seconds: number): string {
  if (seconds < 90) return `${figure(seconds)} s`
  const all = Math.round(seconds)
  return `${Math.floor(all / 60)} min ${all % 60} s`
}

/** 0:07, 12:30 */
export function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, '0')}`
}
