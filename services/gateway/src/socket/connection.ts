import type { CloseCode, ConversationId, Language, SendInput, UserId } from '@qunxin/contracts'
import type { WebSocket } from 'ws'
import type { Principal } from '../auth/principal.ts'
import type { CatchUpReceiver } from '../deliver/catch-up.ts'
import type { Held } from '../deliver/held.ts'
import type { Hole } from '../deliver/hole.ts'
import type { Outstanding } from '../deliver/outstanding.ts'
import type { ShownCursors } from '../deliver/shown-cursors.ts'
import type { LastRow } from './scanned-send.ts'
import { frameOf, type Outlet, type Writer } from './wire.ts'

export type Stage = 'unbound' | 'binding' | 'bound' | 'closed'

/** A message that was refused before its user was known, or while others still waited in front of it. */
export type RefusedFirst = Pick<SendInput, 'msgId' | 'sessionId' | 'toUserId'>

/** Frames that wait for the binding, or for the user's limit. */
export interface Waiting {
  frames: { data: Buffer; isBinary: boolean }[]
  bytes: number
  /** Since a frame had no room none has, until the others are through: the first message refused of each conversation. */
  refused: Map<string, RefusedFirst> | undefined
}

/** Who waits until the client has taken what was written before a ping. */
export interface Unheard {
  /** Infinite until it is sent. */
  ping: number
  heard: ((now: number) => void)[]
}

/** What all connections of a node share, so that one of them holds nothing but its own state. */
export interface Shared {
  readonly writer: Writer
  /** Connections with something written that no ping has gone out behind. */
  readonly unconfirmed: Set<Connection>
  /** It is over, now, whatever the network still has to do. */
  ended(connection: Connection): void
}

/**
 * What one connection may have without an answer: a thousand short messages, or a hundred of the longest. A few clients
 * alone can then not take the room that all of a gateway share.
 */
const MAX_PENDING = { frames: 1_000, bytes: 2 * 1024 * 1024 }
/** Who is too slow to be told so in this time is cut off: what waits for it takes our memory. */
const LINGER_MS = 5_000

/** One socket. Most are idle, so whatever few need is made when it is first needed, and timers are shared. */
export class Connection implements CatchUpReceiver, Outlet {
  readonly socket: WebSocket
  readonly language: Language
  readonly #shared: Shared

  stage: Stage = 'unbound'
  /** Given at the binding, so that a user's ids stand in the order they were bound. */
  id = ''
  userId: UserId = ''
  /** Whose token came with the handshake. */
  handshake: Principal | undefined
  principal: Principal | undefined
  /** Frames handled before the binding. */
  early = 0
  /** The user's limit is being asked for the frame that came last. */
  asking = false
  /** Frames that came behind getUserId, or behind the one the limit is asked for. */
  waiting: Waiting | undefined
  /** Sends and calls without an answer, and the bytes of their frames. */
  pending = 0
  pendingBytes = 0
  /** This gateway stops: it is closed 1001 once nothing is pending, and what still comes from it is done while its token is good. */
  leaving = false
  /** Something came from it since the last ping. */
  alive = true
  heartbeatSlot = 0
  /** When it is closed for having no user, or no valid token any more: milliseconds since 1970. */
  dueAt = 0

  lastRow: LastRow | undefined
  out: Buffer[] | undefined
  positions: Map<ConversationId, number> | undefined
  floors: Map<ConversationId, number> | undefined
  holes: Map<ConversationId, Hole> | undefined
  shown: ShownCursors | undefined
  held: Held | undefined
  /** In the order of their pings. */
  unheard: Unheard[] | undefined
  /** Only of clients that acknowledge nothing by themselves. */
  outstanding: Outstanding | undefined

  constructor(socket: WebSocket, options: { language: Language; handshake: Principal | undefined; shared: Shared }) {
    this.socket = socket
    this.language = options.language
    this.handshake = options.handshake
    this.#shared = options.shared
  }

  get open(): boolean {
    return this.stage !== 'closed'
  }

  /** Is what comes from it still done? */
  get taken(): boolean {
    return this.open || (this.leaving && this.principal !== undefined && this.principal.expiresAt > Date.now())
  }

  get framesBehind(): number {
    return this.waiting?.frames.length ?? 0
  }

  get seedsOnly(): boolean {
    return this.outstanding !== undefined
  }

  write(frame: Buffer): void {
    this.#shared.writer.write(this, frame)
  }

  /** One frame for this connection alone. */
  tell(tag: string, data: unknown): void {
    this.tellText(JSON.stringify({ tag, data }))
  }

  /** The same, written already. */
  tellText(text: string): void {
    this.write(frameOf(text))
  }

  wrote(conversation: ConversationId, seq: number): void {
    if (!this.outstanding) return
    this.outstanding.written.set(conversation, seq)
    this.#shared.unconfirmed.add(this)
  }

  skipped(conversation: ConversationId): void {
    if (!this.outstanding) return
    this.outstanding.skipped ??= new Set()
    this.outstanding.skipped.add(conversation)
  }

  overrun(): void {
    if (this.open) this.close(4008)
  }

  drained(): Promise<void> {
    return this.#shared.writer.drained(this)
  }

  /** What was written before goes out first; nothing is read any more, also of one that was sent away 1001 before. */
  close(code: CloseCode): void {
    if (code !== 1001) this.leaving = false
    if (this.stage === 'closed') return
    this.end()
    this.#shared.writer.flush(this)
    this.socket.close(code)
    if (code === 4008) setTimeout(() => this.socket.terminate(), LINGER_MS).unref()
  }

  /** The socket is gone, or is being closed: nothing is taken or written any more. */
  end(): void {
    if (this.stage === 'closed') return
    this.stage = 'closed'
    this.#shared.ended(this)
  }

  /** Is there room for another send or call of so many bytes? */
  mayWait(bytes: number): boolean {
    return this.pending < MAX_PENDING.frames && this.pendingBytes + bytes <= MAX_PENDING.bytes
  }

  waits(bytes: number): void {
    this.pending += 1
    this.pendingBytes += bytes
  }

  /** A send or a call was answered. */
  settled(bytes: number): void {
    this.pending -= 1
    this.pendingBytes -= bytes
    if (this.leaving && this.pending === 0) this.close(1001)
  }
}
