const WORD = 32
const FIRST_WORDS = 4

/** Numbers that lie close together, as those shown on one connection do: a bit each. */
export class SeqSet {
  #base = 0
  #bits = new Uint32Array(0)

  /** False when it was there. */
  add(seq: number): boolean {
    this.#makeRoom(seq)
    const at = seq - this.#base
    const [word, bit] = [at >>> 5, 1 << (at & 31)]
    const before = this.#bits[word] as number
    this.#bits[word] = before | bit
    return (before & bit) === 0
  }

  has(seq: number): boolean {
    const at = seq - this.#base
    return at >= 0 && at < this.#bits.length * WORD && ((this.#bits[at >>> 5] as number) & (1 << (at & 31))) !== 0
  }

  #makeRoom(seq: number): void {
    const end = this.#base + this.#bits.length * WORD
    if (this.#bits.length > 0 && seq >= this.#base && seq < end) return
    const base = this.#bits.length === 0 ? seq - (seq % WORD) : Math.min(this.#base, seq - (seq % WORD))
    const needed = (Math.max(end, seq + 1) - base) / WORD
    const grown = new Uint32Array(Math.max(FIRST_WORDS, Math.ceil(needed), 2 * this.#bits.length))
    grown.set(this.#bits, (this.#bits.length === 0 ? 0 : this.#base - base) / WORD)
    this.#base = base
    this.#bits = grown
  }
}
