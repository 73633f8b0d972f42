import type { Socket } from 'node:net'

/** What one direction of a connection can suffer while it lives. */
export type Impairment =
  | { kind: 'blackhole' }
  /** Each piece is `ms` ± `jitterMs` under way, and never overtakes another. */
  | { kind: 'delay'; ms: number; jitterMs?: number }
  /** Pieces of 1 to `bytes` bytes, `pauseMs` between them. */
  | { kind: 'slice'; bytes: number; pauseMs: number }

/** `undefined` is the end of the source. */
interface Waiting {
  data: Buffer | undefined
  dueAt: number
}

/** What may be under way; then the source is not read any more, and feels it as back pressure. */
const UNDER_WAY_BYTES = 1_048_576

/** One direction of one connection: reads from a socket, writes to the other, in order, as the network allows. */
export class ProxiedFlow {
  readonly #from: Socket
  readonly #to: Socket
  readonly #random: () => number
  readonly #waiting: Waiting[] = []
  #waitingBytes = 0
  #impairment: Impairment | undefined
  #timer: NodeJS.Timeout | undefined
  /** The target's buffer is full. */
  #blocked = false
  #abandoned = false

  constructor(from: Socket, to: Socket, random: () => number) {
    this.#from = from
    this.#to = to
    this.#random = random
    from.on('data', (data) => this.#take(data))
    from.on('end', () => this.#take(undefined))
    // A reset is seen by the other side as an end: what was on its way before it still arrives.
    from.on('error', () => {})
    from.on('close', (broken) => broken && this.#take(undefined))
    to.on('drain', () => {
      this.#blocked = false
      this.#pass()
    })
    // Nobody can read what the source has to say any more. The other direction tells it, when the network lets it.
    to.on('close', () => this.abandon())
  }

  /** From now on; what is under way by an old delay goes at once. */
  impair(impairment: Impairment | undefined): void {
    this.#impairment = impairment
    for (const one of this.#waiting) one.dueAt = 0
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#pass()
  }

  /** Forgets what is under way and passes nothing on any more; what still comes is read and thrown away. */
  abandon(): void {
    this.#abandoned = true
    clearTimeout(this.#timer)
    this.#waiting.length = 0
    this.#waitingBytes = 0
    this.#from.resume()
  }

  #take(data: Buffer | undefined): void {
    if (this.#abandoned) return
    this.#waiting.push({ data, dueAt: this.#dueAt() })
    this.#waitingBytes += data?.length ?? 0
    if (this.#waitingBytes >= UNDER_WAY_BYTES) this.#from.pause()
    this.#pass()
  }

  #dueAt(): number {
    if (this.#impairment?.kind !== 'delay') return 0
    const { ms, jitterMs = 0 } = this.#impairment
    const due = performance.now() + ms + (2 * this.#random() - 1) * jitterMs
    return Math.max(due, this.#waiting.at(-1)?.dueAt ?? 0)
  }

  /** Writes whatever may go now, and comes back when more may. */
  #pass(): void {
    while (!this.#blocked && this.#timer === undefined && this.#impairment?.kind !== 'blackhole') {
      const [next] = this.#waiting
      if (next === undefined) break
      const early = next.dueAt - performance.now()
      if (early > 0) {
        this.#later(early)
        break
      }
      if (this.#impairment?.kind === 'slice' && next.data !== undefined) this.#slice(next.data, this.#impairment)
      else this.#write(this.#waiting.shift()?.data)
    }
    if (this.#waitingBytes < UNDER_WAY_BYTES && this.#from.isPaused()) this.#from.resume()
  }

  #slice(data: Buffer, { bytes, pauseMs }: { bytes: number; pauseMs: number }): void {
    const size = 1 + Math.floor(this.#random() * bytes)
    if (size >= data.length) this.#waiting.shift()
    else this.#waiting[0] = { data: data.subarray(size), dueAt: 0 }
    this.#write(data.subarray(0, size))
    this.#later(pauseMs)
  }

  #later(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#pass()
    }, ms)
  }

  #write(data: Buffer | undefined): void {
    if (data === undefined) {
      this.#to.end()
      return
    }
    this.#waitingBytes -= data.length
    this.#blocked = !this.#to.write(data)
  }
}
