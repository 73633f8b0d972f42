import {
  DELIVERY_LIMITS,
  type Delivery,
  encodeDelivery,
  type FrameItem,
  type SendAnswer,
  type UserId,
} from '@qunxin/contracts'

const HEADER_BYTES = 200
const ITEM_BYTES = 160
const USER_BYTES = 19

/** What one node is sent, cut into deliveries NATS can carry. */
export class DeliveryWriter {
  readonly #from: string
  readonly #done: Uint8Array[] = []
  #items: Delivery['items'] = []
  #bodies: Uint8Array[] = []
  #entries = 0
  #bytes = HEADER_BYTES

  constructor(from: string) {
    this.#from = from
  }

  /** A frame for more users than one delivery may name goes in several. */
  frame(item: Omit<FrameItem, 'kind' | 'size' | 'users'>, users: readonly UserId[], body: Uint8Array): void {
    for (let at = 0; at < users.length; at += DELIVERY_LIMITS.entries) {
      const some =
        at === 0 && users.length <= DELIVERY_LIMITS.entries ? users : users.slice(at, at + DELIVERY_LIMITS.entries)
      this.#makeRoom(some.length, ITEM_BYTES + some.length * USER_BYTES + body.length)
      this.#items.push({ kind: 'frame', size: body.length, users: some as UserId[], ...item })
      this.#bodies.push(body)
    }
  }

  answer(answer: SendAnswer): void {
    this.#makeRoom(1, ITEM_BYTES)
    this.#items.push({ kind: 'answer', answer })
  }

  /** Every delivery, in the order to publish them. */
  finish(): readonly Uint8Array[] {
    this.#cut()
    return this.#done
  }

  #makeRoom(entries: number, bytes: number): void {
    if (this.#entries + entries > DELIVERY_LIMITS.entries || this.#bytes + bytes > DELIVERY_LIMITS.bytes) this.#cut()
    this.#entries += entries
    this.#bytes += bytes
  }

  #cut(): void {
    if (this.#items.length === 0) return
    this.#done.push(encodeDelivery({ from: this.#from, items: this.#items }, this.#bodies))
    this.#items = []
    this.#bodies = []
    this.#entries = 0
    this.#bytes = HEADER_BYTES
  }
}
