import { type DeliveryPlace, encodeDelivery, placeDelivery } from '@qunxin/contracts'

/** Published again for one asking; the node asks for the rest when it has taken these. */
const AGAIN_BYTES = 1024 * 1024

/**
 * What one gateway process is sent, numbered without a gap and kept until it is confirmed. What is given up unconfirmed shows
 * in the `oldest` of everything published later, so that the node knows of it.
 */
export class NodeStream {
  readonly node: string
  readonly #instance: string
  readonly #kept: Uint8Array[] = []
  /** The number of the first one kept, or of the next one. */
  #oldest = 1
  #bytes = 0

  constructor(node: string, instance: string) {
    this.node = node
    this.#instance = instance
  }

  /** Of what is unconfirmed. */
  get bytes(): number {
    return this.#bytes
  }

  get unconfirmed(): number {
    return this.#kept.length
  }

  get oldest(): number {
    return this.#oldest
  }

  /** The number of the newest one. */
  get last(): number {
    return this.#oldest + this.#kept.length - 1
  }

  /** Gives a delivery the next number and keeps it. */
  keep(payload: Uint8Array): void {
    this.#kept.push(payload)
    this.#bytes += payload.length
    placeDelivery(payload, { number: this.last, oldest: this.#oldest })
  }

  /** The node has everything up to that number. */
  confirm(number: number): void {
    // It has had more than we remember having sent: this stream was begun anew, and what it holds would pass for repeats.
    if (number > this.last) this.#restart(number + 2)
    else this.#drop(number - this.#oldest + 1)
  }

  /** What is kept behind that number, as far as one asking is answered, and last of all how far the stream goes. */
  behind(number: number): Uint8Array[] {
    const payloads: Uint8Array[] = []
    let bytes = 0
    for (let at = Math.max(0, number + 1 - this.#oldest); at < this.#kept.length && bytes < AGAIN_BYTES; at++) {
      const payload = this.#kept[at] as Uint8Array
      placeDelivery(payload, { number: this.#oldest + at, oldest: this.#oldest })
      payloads.push(payload)
      bytes += payload.length
    }
    payloads.push(this.mark())
    return payloads
  }

  /** Says how far the stream goes, and from where on it can be had. */
  mark(): Uint8Array {
    const place: DeliveryPlace = { number: this.last, oldest: this.#oldest }
    const payload = encodeDelivery({ from: this.#instance, items: [] }, [])
    placeDelivery(payload, place)
    return payload
  }

  /** What is unconfirmed and newer than that number. */
  newerThan(number: number): readonly Uint8Array[] {
    return this.#kept.slice(Math.max(0, number + 1 - this.#oldest))
  }

  /** Gives up the oldest until no more than so many bytes are kept. */
  shrink(bytes: number): void {
    let count = 0
    for (let left = this.#bytes; left > bytes; count++) left -= (this.#kept[count] as Uint8Array).length
    this.#drop(count)
  }

  /** From here on the node may be left out: nothing is kept, and it will find that something is missing. */
  break(): void {
    this.#restart(this.last + 2)
  }

  #drop(count: number): void {
    if (count <= 0) return
    for (const payload of this.#kept.splice(0, count)) this.#bytes -= payload.length
    this.#oldest += count
  }

  #restart(oldest: number): void {
    this.#kept.length = 0
    this.#bytes = 0
    this.#oldest = oldest
  }
}
