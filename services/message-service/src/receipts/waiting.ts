import type { ConversationId, Receipt, UserId } from '@qunxin/contracts'

/** Of a cursor that waits: so many batches are told when it is stored. More are repeats, and the newest is listened to. */
const MOST_BATCHES = 4

/** How far one user is in one conversation, as somebody says, until it is stored. */
export interface Waiting {
  user: UserId
  conversation: ConversationId
  /** At least as far as `read`. */
  delivered: number
  read: number
  /** Where it was read, when that is known. */
  reader: Reader | undefined
  batches: Batch[]
}

export interface Reader {
  node: string | undefined
  conn: string | undefined
  /** The user has no other connection on that node. */
  alone: boolean
}

/** Receipts that came together; they are answered together. */
export class Batch {
  readonly done: Promise<void>
  left: number
  readonly #settle: PromiseWithResolvers<void>

  constructor(left: number) {
    this.left = left
    this.#settle = Promise.withResolvers()
    this.done = this.#settle.promise
    if (left === 0) this.#settle.resolve()
  }

  oneStored(): void {
    this.left -= 1
    if (this.left === 0) this.#settle.resolve()
  }

  fail(): void {
    this.#settle.reject(new Error('not stored by the owner'))
  }
}

export function waitingOf(receipt: Receipt, node: string | undefined): Omit<Waiting, 'batches'> {
  const { user, conversation, delivered = 0, read = 0, conn, alone = false } = receipt
  const reader = read > 0 ? { node, conn, alone } : undefined
  return { user, conversation, delivered: Math.max(delivered, read), read, reader }
}

/** The furthest of both; who read further need not be told of it. */
export function join(one: Waiting, other: Omit<Waiting, 'batches'>): void {
  one.delivered = Math.max(one.delivered, other.delivered)
  if (other.read <= one.read) return
  one.read = other.read
  one.reader = other.reader
}

export function listen(one: Waiting, batches: readonly Batch[]): void {
  one.batches.push(...batches)
  while (one.batches.length > MOST_BATCHES) one.batches.shift()?.fail()
}
