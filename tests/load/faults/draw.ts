/** A sequence that looks random and is the same for the same seed. */
export interface Draw {
  /** 0 up to, without, 1. */
  next(): number
  between(low: number, high: number): number
  /** @throws when there is nothing to pick from */
  of<T>(choices: readonly T[]): T
  shuffled<T>(all: readonly T[]): T[]
}

/** Mulberry32. `stream` tells apart what draws for itself from one seed, so that one's timing does not change another's draws. */
export function drawFrom(seed: number, stream = 0): Draw {
  let state = (seed ^ Math.imul(stream + 1, 0x9e37_79b9)) >>> 0
  const next = () => {
    state = (state + 0x6d2b_79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const shuffled = <T>(all: readonly T[]): T[] => {
    const keyed = all.map((one) => ({ one, key: next() }))
    return keyed.sort((a, b) => a.key - b.key).map(({ one }) => one)
  }
  return {
    next,
    shuffled,
    between: (low, high) => low + next() * (high - low),
    of<T>(choices: readonly T[]): T {
      if (choices.length === 0) throw new RangeError('nothing to draw from')
      return choices[Math.floor(next() * choices.length)] as T
    },
  }
}
