/** All periods are multiples of this. */
const BEAT_MS = 250

const running = new Set<{ beats: number; callback: () => void }>()
let timer: NodeJS.Timeout | undefined
let count = 0

/**
 * Calls back every `periodMs` (a multiple of 250), the first time after no longer than that, until it is stopped. Like
 * `setInterval`, but on one timer for all of the process, which keeps no process alive: to be woken costs more than most of what
 * is then done, so whatever is due in the same quarter of a second is done in the same turn.
 */
export function every(periodMs: number, callback: () => void): { stop(): void } {
  const one = { beats: periodMs / BEAT_MS, callback }
  if (!Number.isInteger(one.beats) || one.beats < 1) throw new RangeError(`${periodMs} ms is no multiple of ${BEAT_MS}`)
  running.add(one)
  timer ??= setInterval(beat, BEAT_MS).unref()
  return {
    stop() {
      running.delete(one)
      if (running.size > 0) return
      clearInterval(timer)
      timer = undefined
    },
  }
}

function beat(): void {
  count += 1
  for (const { beats, callback } of running) if (count % beats === 0) callback()
}
