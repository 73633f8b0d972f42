import type { Bus } from '@qunxin/bus'
import { type ErrorCode, errors, partitionOf, type SendAnswer, type SendEntry, subjects } from '@qunxin/contracts'
import { every } from '@qunxin/runtime'
import type { MessageInstances } from '../binding/message-instances.ts'
import type { NewSend, SendInRow, SubmitSend } from '../calls/send-call.ts'
import { ClosedRows, type WhenHeard } from './closed-rows.ts'
import { PartitionBatcher } from './partition-batcher.ts'
import type { Ending, OnAnswer, PendingSend } from './pending-send.ts'
import { RefusedSends } from './refused-sends.ts'
import { REPEAT_AFTER_MS } from './unanswered.ts'

const TICK_MS = 250
/** What a text message takes beside its text: ids, mostly. */
const TEXT_OVERHEAD_BYTES = 200
/**
 * More than a second's work of a large system: above it an honest refusal beats a growing heap. A send is held about three
 * times (as it came, as JSON, in its batch).
 */
const DEFAULT_LIMIT = { sends: 20_000, bytes: 32 * 1024 * 1024 }

type Stored = Extract<SendAnswer, { seq: number }>

export interface SendsOptions {
  bus: Pick<Bus, 'writable' | 'publish' | 'onReconnect'>
  node: string
  partitions: number
  instances: Pick<MessageInstances, 'ownerOf' | 'onChanged'>
  /** How long a send may wait for its answer, in ms. */
  timeoutMs?: number
  /** What may wait at once, of all connections and HTTP together. */
  limit?: { sends: number; bytes: number }
}

/** Everything this gateway has sent and has no answer to, from sockets and from HTTP. Answers come by {@link answered}. */
export class Sends implements SubmitSend {
  readonly #partitions: number
  readonly #instances: SendsOptions['instances']
  readonly #timeoutMs: number
  readonly #limit: { sends: number; bytes: number }
  readonly #batchers: PartitionBatcher[]
  readonly #pending = new Map<number, PendingSend>()
  readonly #touched = new Set<PartitionBatcher>()
  readonly #closed = new ClosedRows((conn, heard) => this.#ask(conn, heard))
  readonly #refusedSends = new RefusedSends()
  readonly #ticking: { stop(): void }
  #idle: (() => void)[] = []
  #stored: (entry: SendEntry, stored: Stored) => void = () => {}
  #ask: WhenHeard = (_conn, heard) => heard(Date.now())
  #scheduled = false
  #stopped = false
  #bytes = 0
  #refused = 0
  #lastId = 0

  constructor(options: SendsOptions) {
    const { bus, node, partitions } = options
    this.#partitions = partitions
    this.#instances = options.instances
    this.#timeoutMs = options.timeoutMs ?? 5_000
    this.#limit = options.limit ?? DEFAULT_LIMIT
    this.#batchers = Array.from({ length: partitions }, (_, partition) => {
      const subject = subjects.partitionSend(partition)
      const publish = (payload: Uint8Array) => {
        // Published while disconnected it would be dropped without a word, and to a server that takes nothing it would heap up.
        if (!bus.writable) return false
        bus.publish(subject, payload)
        return true
      }
      return new PartitionBatcher({ node, publish })
    })
    const repeatAll = () => this.#repeat(Number.POSITIVE_INFINITY)
    this.#instances.onChanged(repeatAll)
    bus.onReconnect(repeatAll)
    this.#ticking = every(TICK_MS, () => this.#tick())
  }

  get pending(): number {
    return this.#pending.size
  }

  /** About what they take on the wire. */
  get pendingBytes(): number {
    return this.#bytes
  }

  /** How many were refused because too much was waiting. */
  get overloaded(): number {
    return this.#refused
  }

  refused(send: SendInRow, code: ErrorCode): void {
    this.#closed.close(send, code, Date.now())
  }

  /** Numbers a send and hands it to its partition. `done` is called exactly once: with the owner's answer, or with why there is none. */
  submit(send: NewSend, done: OnAnswer) {
    const id = ++this.#lastId
    const now = Date.now()
    send.id = id
    const bytes = bytesOf(send)
    const code = this.#refusal(send, { bytes, now })
    if (code !== undefined) {
      this.#closed.close(send, code, now)
      return done({ id, code })
    }
    const pending: PendingSend = { entry: send, bytes, expiresAt: now + this.#timeoutMs, done, open: true }
    this.#pending.set(id, pending)
    this.#bytes += bytes
    const batcher = this.#batcherOf(send.conversation)
    batcher.add(pending)
    this.#touch(batcher)
  }

  /** An instance's answer; one that comes too late, or again, counts for nothing. */
  answered(answer: SendAnswer, instance: string): void {
    const pending = this.#pending.get(answer.id)
    if (!pending || this.#isOverruled(answer, pending, instance)) return
    this.#forget(pending)
    pending.open = false
    const batcher = this.#batcherOf(pending.entry.conversation)
    batcher.answered()
    this.#touch(batcher)
    pending.done(answer)
    if ('seq' in answer && pending.entry.conn !== '') this.#stored(pending.entry, answer)
    if ('code' in answer && closesRow(answer.code)) {
      this.#closed.ended(pending.entry, answer.code, Date.now())
      this.#refusedSends.add(pending.entry, Date.now())
      this.#end(batcher.endBehind(pending, answer.code))
    }
    this.#tellIdle()
  }

  /** `callback` is told of every send of a connection that was stored, once it is answered. */
  onStored(callback: (entry: SendEntry, stored: Stored) => void): void {
    this.#stored = callback
  }

  /** `ask` tells when a connection has taken its refusals: what it had sent before is refused as well. */
  whenHeard(ask: WhenHeard): void {
    this.#ask = ask
  }

  /** Did that very send come from this connection, which has no answer to it, or was told to send it again? */
  waits(conn: string, conversation: string, msgId: string): boolean {
    if (this.#refusedSends.has(conn, conversation, msgId)) return true
    const same = ({ entry }: PendingSend) =>
      entry.conn === conn && entry.conversation === conversation && entry.msgId === msgId
    return this.#batcherOf(conversation).find(same) !== undefined
  }

  /** Does this connection wait for the answer of any send into that conversation? */
  waitsIn(conn: string, conversation: string): boolean {
    const same = ({ entry }: PendingSend) => entry.conn === conn && entry.conversation === conversation
    return this.#batcherOf(conversation).find(same) !== undefined
  }

  /** Resolves when nothing waits for an answer any more: after the send timeout at the latest. */
  idle(): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  /** Ends whatever still waits, and takes nothing more. */
  stop(): void {
    this.#stopped = true
    this.#touched.clear()
    this.#ticking.stop()
    const code: ErrorCode = 'UNAVAILABLE'
    this.#end([...this.#pending.values()].map((pending) => ({ pending, code })))
  }

  /** The owner of before refuses, and the one of now has the send too: it may have no reason to. */
  #isOverruled(answer: SendAnswer, { entry }: PendingSend, instance: string): boolean {
    if (!('code' in answer) || errors[answer.code].retryable) return false
    return this.#instances.ownerOf(partitionOf(entry.conversation, this.#partitions)) !== instance
  }

  #batcherOf(conversation: string): PartitionBatcher {
    return this.#batchers[partitionOf(conversation, this.#partitions)] as PartitionBatcher
  }

  #refusal(send: NewSend, { bytes, now }: { bytes: number; now: number }): ErrorCode | undefined {
    if (this.#stopped) return 'UNAVAILABLE'
    const { sends, bytes: most } = this.#limit
    if (this.#pending.size < sends && this.#bytes + bytes <= most) return this.#closed.refusal(send, now)
    this.#refused += 1
    return 'UNAVAILABLE'
  }

  #forget({ entry, bytes }: PendingSend): void {
    if (this.#pending.delete(entry.id)) this.#bytes -= bytes
  }

  /** What arrives in one turn of the event loop goes out together. */
  #touch(batcher: PartitionBatcher): void {
    this.#touched.add(batcher)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      const now = Date.now()
      for (const touched of this.#touched) touched.advance(now)
      this.#touched.clear()
    })
  }

  #tick(): void {
    const now = Date.now()
    this.#closed.sweep(now)
    this.#refusedSends.sweep(now)
    if (this.#pending.size === 0) return
    for (const batcher of this.#batchers) {
      const endings = batcher.expire(now)
      if (endings.length === 0) continue
      this.#touch(batcher)
      this.#end(endings)
    }
    this.#repeat(now - REPEAT_AFTER_MS)
  }

  #repeat(since: number): void {
    const now = Date.now()
    for (const batcher of this.#batchers) batcher.repeat(since, now)
  }

  #end(endings: readonly Ending[]): void {
    const now = Date.now()
    for (const { pending, code } of endings) {
      this.#forget(pending)
      this.#closed.ended(pending.entry, code, now)
      this.#refusedSends.add(pending.entry, now)
    }
    for (const { pending, code } of endings) pending.done({ id: pending.entry.id, code })
    this.#tellIdle()
  }

  #tellIdle(): void {
    if (this.#pending.size > 0 || this.#idle.length === 0) return
    const waiting = this.#idle
    this.#idle = []
    for (const resolve of waiting) resolve()
  }
}

function bytesOf(send: NewSend): number {
  return send.utf8 ? send.utf8.length + TEXT_OVERHEAD_BYTES : Buffer.byteLength(JSON.stringify(send))
}

/** An owner answers RATE_LIMITED in slow mode: what comes behind is decided by itself, and who gives the first up may go on. */
function closesRow(code: ErrorCode): boolean {
  return errors[code].retryable && code !== 'RATE_LIMITED'
}
