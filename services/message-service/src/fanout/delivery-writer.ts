import { DELIVERY_LIMITS, DeliveryEncoder, type FrameItem, type SendAnswer } from '@qunxin/contracts'

const HEADER_BYTES = 200
const ITEM_BYTES = 160
const USER_BYTES = 19

/** What one node is sent, cut into deliveries NATS can carry. */
export class DeliveryWriter {
  readonly #from: string
  readonly #done: Uint8Array[] = []
  #encoder: DeliveryEncoder | undefined
  #entries = 0
  #bytes = HEADER_BYTES

  constructor(from: string) {
    this.#from = from
  }

  /** The frame is the first `size` bytes of `body`. One for more users than one delivery may name goes in several. */
  frame(frame: Omit<FrameItem, 'kind' | 'size'>, body: Uint8Array, size = body.length): void {
    const { users } = frame
    const { entries } = DELIVERY_LIMITS
    for (let at = 0; at < users.length; at += entries) {
      const some = users.length <= entries ? frame : { ...frame, users: users.slice(at, at + entries) }
      this.#room(some.users.length, ITEM_BYTES + some.users.length * USER_BYTES + size).frame(some, body, size)
    }
  }

  answer(answer: SendAnswer): void {
    this.#room(1, ITEM_BYTES).answer(answer)
  }

  /** Every delivery, in the order to publish them. */
  finish(): readonly Uint8Array[] {
    this.#cut()
    return this.#done
  }

  /** Where so many more entries and bytes have their place. */
  #room(entries: number, bytes: number): DeliveryEncoder {
    if (this.#entries + entries > DELIVERY_LIMITS.entries || this.#bytes + bytes > DELIVERY_LIMITS.bytes) this.#cut()
    this.#entries += entries
    this.#bytes += bytes
    this.#encoder ??= new DeliveryEncoder(this.#from)
    return this.#encoder
  }

  #cut(): void {
    if (this.#encoder) this.#done.push(this.#encoder.finish())
    this.#encoder = undefined
    this.#entries = 0
    this.#bytes = HEADER_BYTES
  }
}
