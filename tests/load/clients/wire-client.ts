import { CallError } from '@qunxin/client'
import { conversationOfMessage, type MessageAck, type MsgModel } from '@qunxin/contracts'
import { reconnectDelay } from '../../../packages/client/src/backoff.ts'
import { reactionTo } from '../../../packages/client/src/close-codes.ts'
import { FOREIGN, type History, type SeenRow } from '../history.ts'
import { opcodes } from '../wire/frames.ts'
import { type Entry, Lane } from '../wire/lane.ts'
import { Outgoing } from '../wire/outgoing.ts'
import { isAck, isMessage, parseFrame } from '../wire/parse.ts'
import { kinds } from '../wire/scan.ts'
import type { Wire, WireUser } from '../wire/wire.ts'
import { WireSocket } from '../wire/wire-socket.ts'
import { type RunClient, type RunClientOptions, SEND_TIMEOUT_MS, type SendOptions } from './run-client.ts'
import { ShownIn } from './shown-in.ts'
import { writeTold } from './told.ts'
import type { Watcher } from './watcher.ts'

const CLOSED = 1000
/** Pushes of which nothing is to be written down. */
const OTHER_PUSHES = ['messageChanged', 'groupListChanged', 'groupChanged', 'typing', 'canConnect']

/**
 * One user with one device, who knows only the seeds, without the SDK: it does what the SDK would do on the wire, and writes down
 * the same, at a fraction of the processor time. A frame that it does not understand ends it, and the run.
 */
export class WireClient implements RunClient, WireUser {
  readonly index: number
  readonly userId: number
  readonly accessToken: string
  outstanding = 0
  ended: string | undefined
  readonly #history: History
  readonly #watcher: Watcher
  readonly #wire: Wire
  readonly #urls: readonly string[]
  readonly #ready = Promise.withResolvers<void>()
  /** By conversation. */
  readonly #lanes = new Map<number, Lane>()
  /** Most clients send into one. */
  #lane: Lane | undefined
  readonly #shownIn: ShownIn
  #gateway: number
  #socket: WireSocket | undefined
  #connection: number | undefined
  #openedAt = 0
  #boundAt = 0
  #awayMs: number | undefined
  #answersPing = true
  #failures = 0
  #retry: ReturnType<typeof setTimeout> | undefined
  #lastError = ''
  /** What goes out when this turn is over. */
  #out: Entry[] = []
  /** What is read in one go is taken to have come in one moment; undefined while nothing is being read. */
  #readAt: number | undefined

  constructor(options: RunClientOptions, wire: Wire) {
    this.userId = options.userId
    this.accessToken = options.accessToken
    this.#history = options.history
    this.#watcher = options.watcher
    this.#urls = options.urls
    this.#gateway = options.gateway
    this.#wire = wire
    this.index = options.history.addClient(options.userId)
    this.#shownIn = new ShownIn(options.history, options.userId)
    this.#ready.promise.catch(() => {})
    wire.add(this)
    this.#connect()
  }

  get bound(): boolean {
    return this.#connection !== undefined
  }

  get boundAt(): number {
    return this.#boundAt
  }

  /** Only the SDK does. */
  get reading(): boolean {
    return false
  }

  get ready(): Promise<void> {
    return this.#ready.promise
  }

  boundSince(time: number): boolean {
    return this.bound && this.#boundAt > time
  }

  send(conversation: number, { units = 0, intendedAt, settled }: SendOptions = {}): void {
    const now = this.#readAt ?? performance.now()
    const attempt = this.#history.attempted(this.index, conversation, { units, intendedAt: intendedAt ?? now })
    this.#watcher.attempted()
    this.outstanding += 1
    const lane = this.#laneOf(conversation)
    const entry = { attempt, units, lane, settled, giveUpAt: now + SEND_TIMEOUT_MS, sentAt: 0 }
    if (this.ended === undefined) lane.add(entry, now)
    else this.#gaveUp(entry)
  }

  drop(awayMs?: number): void {
    this.#awayMs = awayMs
    this.#socket?.terminate()
  }

  ping(): void {
    if (this.#connection === undefined || this.#socket?.open !== true) return
    if (this.#answersPing) {
      this.#answersPing = false
      this.#socket.send(opcodes.ping, Buffer.alloc(0))
    } else this.#socket.terminate()
  }

  close(): void {
    this.#unbound()
    this.#end('closed')
    this.#socket?.close(CLOSED)
  }

  flush(): void {
    const out = this.#out
    if (out.length === 0 || this.#socket === undefined) return
    this.#out = []
    const { slab } = this.#wire
    const date = this.#wire.date()
    let room = 0
    for (const { lane, units } of out) room += lane.outgoing.room(units)
    slab.reserve(room)
    let end = slab.used
    for (const { attempt, units, lane } of out) end = lane.outgoing.write(slab.bytes, end, { attempt, units, date })
    this.#socket.write(slab.take(end))
  }

  tick(now: number): void {
    if (this.outstanding === 0) return
    for (const lane of this.#lanes.values()) for (const entry of lane.tick(now)) this.#gaveUp(entry)
  }

  #laneOf(conversation: number): Lane {
    if (this.#lane?.conversation === conversation) return this.#lane
    let lane = this.#lanes.get(conversation)
    if (lane === undefined) {
      const { id } = this.#history.conversations[conversation] ?? { id: '' }
      const outgoing = new Outgoing({ run: this.#history.run, userId: this.userId, conversation: id })
      lane = new Lane({ conversation, outgoing, write: (entry) => this.#write(entry) })
      this.#lanes.set(conversation, lane)
    }
    this.#lane = lane
    return lane
  }

  #write(entry: Entry): boolean {
    if (this.#connection === undefined || this.#socket?.open !== true) return false
    if (this.#out.push(entry) === 1 && this.#readAt === undefined) this.#wire.flushLater(this)
    return true
  }

  #connect(): void {
    const address = this.#wire.address(this.#urls[this.#gateway++ % this.#urls.length] as string)
    this.#answersPing = true
    this.#openedAt = performance.now()
    const { userId, accessToken } = this
    const bind = Buffer.from(JSON.stringify({ tag: 'getUserId', data: { userId, accessToken } }))
    const socket = new WireSocket(address, this.#wire.buffer, {
      open: () => socket.send(opcodes.text, bind),
      text: (bytes, payload) => this.#frame(bytes, payload),
      pong: () => {
        this.#answersPing = true
      },
      read: () => {
        this.#readAt = undefined
        this.flush()
      },
      broken: (what) => this.#broke(what),
      close: (code, reason) => this.#lost(code, reason),
    })
    this.#socket = socket
  }

  #frame(bytes: Buffer, { start, end }: { start: number; end: number }): void {
    this.#readAt ??= performance.now()
    const { scanner } = this.#wire
    const kind = scanner.scan(bytes, start, end)
    if (kind === kinds.message) this.#scannedMessage(bytes)
    else if (kind === kinds.messageAck)
      this.#acknowledged(this.#history.attemptIn(bytes, scanner.msgIdStart, scanner.msgIdEnd), scanner)
    else this.#otherFrame(bytes.toString('utf8', start, end))
  }

  #scannedMessage(bytes: Buffer): void {
    const { hash, seq, at, fromUserId, msgIdStart, msgIdEnd } = this.#wire.scanner
    const attempt = this.#history.attemptIn(bytes, msgIdStart, msgIdEnd)
    this.#shown(this.#shownIn.find(bytes, this.#wire.scanner), { attempt, hash, seq, at, fromUserId })
  }

  #shown(conversation: number, row: SeenRow): void {
    this.#history.showedRow(this.#isBound(), conversation, row)
    this.#watcher.delivered(row.attempt, this.#boundAt, this.#readAt)
  }

  #acknowledged(attempt: number, ack: { seq: number; at: number }) {
    if (!this.#isMine(attempt)) return this.#broke('an acknowledgement of what it had not sent')
    const now = this.#readAt ?? performance.now()
    if (this.#history.acknowledged(attempt, ack, now)) this.#watcher.acknowledged(attempt, now)
    const entry = this.#laneOfAttempt(attempt).acknowledged(attempt, now)
    if (entry) this.#settled(entry)
  }

  #refused(msgId: string, error: CallError) {
    const attempt = this.#history.attemptOf(msgId)
    if (!this.#isMine(attempt)) return this.#broke(`a refusal of what it had not sent, ${msgId}`)
    this.#watcher.refusedForNow()
    const entry = this.#laneOfAttempt(attempt).refused(attempt, error.retryable ? (error.retryAfterMs ?? 0) : undefined)
    if (!entry) return
    if (error.retryable) return this.#gaveUp(entry)
    this.#history.refused(attempt)
    this.#watcher.refused(Number(error.code))
    this.#settled(entry)
  }

  #isMine(attempt: number): boolean {
    return attempt < FOREIGN && this.#history.attempts.sender.at(attempt) === this.index
  }

  #laneOfAttempt(attempt: number): Lane {
    return this.#laneOf(this.#history.attempts.conversation.at(attempt))
  }

  #gaveUp(entry: Entry): void {
    this.#watcher.gaveUp()
    this.#settled(entry)
  }

  #settled({ settled }: Entry): void {
    this.outstanding -= 1
    settled?.()
  }

  /** Whatever the scanner leaves. */
  #otherFrame(text: string): void {
    const frame = parseFrame(text)
    const data = frame?.data as Record<string, unknown> | undefined
    if (frame === undefined) this.#broke(`what is no frame: ${text.slice(0, 200)}`)
    else if (frame.tag === 'bound') this.#isBound()
    else if (frame.tag === 'message' && isMessage(data)) this.#parsedMessage(data)
    else if (frame.tag === 'messageAck' && isAck(data)) this.#parsedAck(data)
    else if (frame.tag === 'messageState' && data) writeTold(this.#history, this, data as never)
    else if (frame.tag === 'error' && !this.bound) this.#lastError = text
    else if (!OTHER_PUSHES.includes(frame.tag)) this.#broke(`an unexpected frame: ${text.slice(0, 200)}`)
  }

  #parsedMessage(message: MsgModel): void {
    const conversation = this.#history.conversation(conversationOfMessage(message))
    const { seq, msgId, fromUserId, contentStr: text, serverReceiveDate: at } = message
    this.#shown(conversation, this.#history.rowOf({ seq, msgId, fromUserId, text, at }))
  }

  #parsedAck(ack: MessageAck): void {
    if ('seq' in ack)
      this.#acknowledged(this.#history.attemptOf(ack.msgId), { seq: ack.seq, at: ack.serverReceiveDate })
    else this.#refused(ack.msgId, new CallError(ack.code, ack.info, ack.details))
  }

  /** Its connection as the history knows it; a message that came before `bound` would be no reason to lose it. */
  #isBound(): number {
    if (this.#connection !== undefined) return this.#connection
    const now = this.#readAt ?? performance.now()
    this.#boundAt = now
    this.#failures = 0
    const connection = this.#history.connected(this.index, now)
    this.#connection = connection
    this.#watcher.connected(this.#openedAt, now)
    this.#ready.resolve()
    for (const lane of this.#lanes.values()) lane.sendAll()
    return connection
  }

  #unbound(): void {
    this.#out = []
    if (this.#connection === undefined) return
    this.#history.disconnected(this.#connection)
    this.#connection = undefined
    this.#watcher.disconnected()
    for (const lane of this.#lanes.values()) lane.connectionLost()
  }

  #lost(code: number, reason: string) {
    this.#socket = undefined
    this.#unbound()
    if (this.ended !== undefined) return
    const reaction = reactionTo(code)
    // The token is the one it has.
    if (reaction === 'stop' || reaction === 'newToken') return this.#end(`${code} ${reason || this.#lastError}`)
    const usual = reconnectDelay(this.#failures++, reaction)
    this.#retry = setTimeout(() => this.#connect(), this.#awayMs ?? usual)
    this.#awayMs = undefined
  }

  #broke(what: string): void {
    this.#unbound()
    this.#end(what)
    this.#socket?.terminate()
  }

  #end(why: string): void {
    if (this.ended !== undefined) return
    this.ended = why
    clearTimeout(this.#retry)
    this.#wire.remove(this)
    this.#ready.reject(new Error(why))
    for (const lane of this.#lanes.values()) for (const entry of lane.close()) this.#gaveUp(entry)
  }
}
