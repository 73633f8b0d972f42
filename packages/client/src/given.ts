/** Above it the oldest is forgotten: what came again of it would be given again, but nothing is lost. */
const MOST_RANGES = 50

/** Which entries of one conversation the application has been given, by their seq. */
export class Given {
  /** Of seqs, both ends included, in their order and apart from each other. */
  readonly #ranges: [number, number][] = []
  #base: number

  /** Everything up to `base` need not be caught up with. */
  constructor(base: number) {
    this.#base = base
  }

  /** The furthest seq up to which nothing is missing. */
  get contiguous(): number {
    let end = this.#base
    for (const [from, to] of this.#ranges) if (from <= end + 1) end = Math.max(end, to)
    return end
  }

  /** Nothing between what was given and `seq` is missing any more, though it was not given. */
  skipTo(seq: number): void {
    this.#base = Math.max(this.#base, seq)
  }

  /** Everything up to `seq` was given in another process. */
  addAll(seq: number): void {
    this.#ranges.unshift([0, seq])
    this.skipTo(seq)
  }

  /** Returns false when it was given before. */
  add(seq: number): boolean {
    const ranges = this.#ranges
    let at = ranges.length
    while (at > 0 && (ranges[at - 1] as [number, number])[0] > seq) at -= 1
    const before = ranges[at - 1]
    if (before && seq <= before[1]) return false
    const behind = ranges[at]
    const joins = before?.[1] === seq - 1
    if (behind?.[0] === seq + 1) {
      behind[0] = joins && before ? before[0] : seq
      if (joins) ranges.splice(at - 1, 1)
    } else if (joins && before) before[1] = seq
    else ranges.splice(at, 0, [seq, seq])
    if (ranges.length > MOST_RANGES) ranges.shift()
    return true
  }
}
