import { FOREIGN, type History, type Reading } from '../history.ts'

/** A conversation as the longest reading of all of it has it; the others are compared with it. */
export interface Log {
  conversation: number
  /** Absent when nobody has read all of it. */
  reading: Reading | undefined
  /** Row of `records` by seq. */
  rowOf: Map<number, number>
}

export interface Logs {
  of: Log[]
  /** Row of `records` where an attempt is stored first. */
  storedAt(attempt: number): number | undefined
  /** Messages in all logs together. */
  stored: number
}

export function logsOf(history: History): Logs {
  const { records, attempts, readings, conversations } = history
  const longest: (Reading | undefined)[] = conversations.map(() => undefined)
  for (const reading of readings) {
    const { conversation, whole, from, to } = reading
    const before = longest[conversation]
    if (whole && (!before || to - from > before.to - before.from)) longest[conversation] = reading
  }
  const NOWHERE = 0xffff_ffff
  const stored = new Uint32Array(attempts.sender.length).fill(NOWHERE)
  let count = 0
  const of = conversations.map((_, conversation): Log => {
    const reading = longest[conversation]
    const rowOf = new Map<number, number>()
    for (let row = reading?.from ?? 0; row < (reading?.to ?? 0); row++) {
      count += 1
      const [seq, attempt] = [records.seq.at(row), records.attempt.at(row)]
      if (!rowOf.has(seq)) rowOf.set(seq, row)
      if (attempt < FOREIGN && stored[attempt] === NOWHERE) stored[attempt] = row
    }
    return { conversation, reading, rowOf }
  })
  return {
    of,
    stored: count,
    storedAt(attempt) {
      const row = stored[attempt]
      return row === NOWHERE ? undefined : row
    },
  }
}
