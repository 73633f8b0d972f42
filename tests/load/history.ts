import { randomBytes } from 'node:crypto'
import { bytes, type Cells, type Column, floats, integers } from './column.ts'
import { HASH_OF_NOTHING, hashedOn, hashOfText, textHash, textOf } from './text.ts'
import { MOST_DIGITS, readBase36, writeBase36 } from './wire/base36.ts'

/** What became of an attempt. `unknown`: no final answer came, it may be stored or not. */
export const outcomes = { unknown: 0, acknowledged: 1, refused: 2 } as const

/** Above every index of an attempt: messages that this run never sent. */
export const FOREIGN = 0x8000_0000
const STILL_OPEN = Number.POSITIVE_INFINITY

/** One who sends and is shown messages; known by the index. */
export interface Client {
  userId: number
  /** Asks for what it missed by itself: only what was live is owed to it. */
  sync: boolean
}

/** When somebody was in a conversation, in milliseconds since 1970. */
export interface Membership {
  from: number
  until: number
}

export interface Conversation {
  /** `p<lower>-<higher>` or `g<groupId>`. */
  id: string
  members: Map<number, Membership>
}

/** A message as a client was shown it, or read it. */
export interface Seen {
  seq: number
  msgId: string
  fromUserId: number
  text: string
  /** The server's receive time. */
  at: number
}

/** The same as it is kept: the attempt's index for its msgId, the hash for its text. */
export interface SeenRow {
  seq: number
  attempt: number
  hash: number
  fromUserId: number
  at: number
}

/** What one client read of one conversation; its records are `from` up to `to` of the columns. */
export interface Reading {
  client: number
  conversation: number
  /** False: the newest page only. */
  whole: boolean
  from: number
  to: number
}

/** What a conversation's list told a client of itself at the end. */
export interface Standing {
  client: number
  conversation: number
  deliveredSeq: number
  readSeq: number
  unread: number
}

/** What was answered at the end about a conversation's newest message. */
export interface Receipts {
  conversation: number
  seq: number
  deliveredCount: number
  readCount: number
  total: number
  /** Users who have read it. */
  readers: number[]
}

/** A history as plain values, for a file. */
export interface HistoryState {
  run: string
  clients: Client[]
  conversations: Conversation[]
  readings: Reading[]
  foreign: string[]
  contradicted: History['contradicted']
  standings: Standing[]
  receipts: Receipts[]
  columns: Record<string, Record<string, Cells>>
}

/**
 * Everything the clients of a run did and saw, for the checker. Messages are rows of columns; clients, connections, conversations
 * and attempts are named by their index. Times are those of `performance.now()`, unless they are the server's.
 */
export class History {
  readonly clients: Client[] = []
  readonly conversations: Conversation[] = []
  readonly readings: Reading[] = []
  /** The msgIds of messages that this run never sent: `FOREIGN` and up in the columns. */
  readonly foreign: string[] = []
  /** Attempts that were acknowledged twice, and not the same. */
  readonly contradicted: { attempt: number; text: string }[] = []

  readonly standings: Standing[] = []
  readonly receipts: Receipts[] = []

  readonly attempts = {
    sender: integers(),
    conversation: integers(),
    hash: integers(),
    intendedAt: floats(),
    outcome: bytes(),
    acknowledgedAt: floats(),
    /** Of the acknowledgement. */
    seq: integers(),
    serverAt: floats(),
  }
  readonly connections = { client: integers(), number: integers(), boundAt: floats(), closedAt: floats() }
  readonly shown = {
    connection: integers(),
    conversation: integers(),
    seq: integers(),
    attempt: integers(),
    hash: integers(),
    fromUserId: floats(),
    serverAt: floats(),
  }
  readonly records = {
    seq: integers(),
    attempt: integers(),
    hash: integers(),
    fromUserId: floats(),
    serverAt: floats(),
  }
  /** What clients said they had read. */
  readonly marks = { client: integers(), conversation: integers(), seq: integers() }
  /** Cursors that clients were shown, in the order they came: whose, and how far. */
  readonly cursors = {
    client: integers(),
    conversation: integers(),
    userId: floats(),
    delivered: integers(),
    read: integers(),
  }
  /** How many had one's own message in a group, as its author was shown it. */
  readonly tallies = {
    client: integers(),
    conversation: integers(),
    seq: integers(),
    delivered: integers(),
    read: integers(),
    total: integers(),
  }

  /** Begins every msgId. */
  readonly run: string
  /** What stands before the attempt's number in each, as bytes, and the hash of a text so far. */
  readonly #before: Uint8Array
  readonly #hashBefore: number
  readonly #digits = new Uint8Array(MOST_DIGITS)
  readonly #conversationOf = new Map<string, number>()
  readonly #foreignOf = new Map<string, number>()
  readonly #connectionsOf: number[] = []

  /** `run`: letters and digits of ASCII. */
  constructor(run = randomBytes(5).toString('hex')) {
    this.run = run
    this.#before = Buffer.from(`${run}-`)
    this.#hashBefore = this.#before.reduce(hashedOn, HASH_OF_NOTHING)
  }

  /** The history that such a state was taken of; for reading, not for going on with. @throws TypeError when it is none */
  static from(state: HistoryState): History {
    const history = new History(state.run)
    history.clients.push(...state.clients)
    for (const { id, members } of state.conversations)
      for (const [client, membership] of members) history.joined(history.conversation(id), client, membership)
    history.readings.push(...state.readings)
    history.foreign.push(...state.foreign)
    history.contradicted.push(...state.contradicted)
    history.standings.push(...state.standings)
    history.receipts.push(...state.receipts)
    for (const [table, columns] of Object.entries(history.#tables()))
      for (const [name, column] of Object.entries(columns)) column.restore(state.columns[table]?.[name] as Cells)
    return history
  }

  state(): HistoryState {
    const cells = (columns: Record<string, Column>) =>
      Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column.cells()]))
    const tables = Object.entries(this.#tables()).map(([table, columns]) => [table, cells(columns)])
    const { clients, conversations, readings, foreign, contradicted, standings, receipts } = this
    return {
      run: this.run,
      clients,
      conversations,
      readings,
      foreign,
      contradicted,
      standings,
      receipts,
      columns: Object.fromEntries(tables),
    }
  }

  #tables(): Record<string, Record<string, Column>> {
    const { attempts, connections, shown, records, marks, cursors, tallies } = this
    return { attempts, connections, shown, records, marks, cursors, tallies }
  }

  addClient(userId: number, { sync = false } = {}): number {
    this.#connectionsOf.push(0)
    return this.clients.push({ userId, sync }) - 1
  }

  /** The conversation of that id, from now on known by its index. */
  conversation(id: string): number {
    const known = this.#conversationOf.get(id)
    if (known !== undefined) return known
    this.#conversationOf.set(id, this.conversations.length)
    return this.conversations.push({ id, members: new Map() }) - 1
  }

  joined(conversation: number, client: number, membership: Partial<Membership> = {}): void {
    this.conversations[conversation]?.members.set(client, { from: 0, until: STILL_OPEN, ...membership })
  }

  /** `at`: when leaving or being kicked was answered, in milliseconds since 1970. */
  left(conversation: number, client: number, at: number): void {
    const membership = this.conversations[conversation]?.members.get(client)
    if (membership) membership.until = at
  }

  /** A message about to be sent; those of a sender into one conversation are sent in the order of these calls. */
  attempt(sender: number, conversation: number, options: { units?: number; intendedAt?: number } = {}) {
    const { units = 0, intendedAt = performance.now() } = options
    const index = this.attempted(sender, conversation, { units, intendedAt })
    const msgId = this.msgId(index)
    return { index, msgId, text: textOf(msgId, index, units) }
  }

  /** The same for who makes its bytes without the strings; returns the attempt's index. */
  attempted(sender: number, conversation: number, { units, intendedAt }: { units: number; intendedAt: number }) {
    const { attempts } = this
    const index = attempts.sender.push(sender)
    attempts.conversation.push(conversation)
    attempts.hash.push(this.#hashOf(index, units))
    attempts.intendedAt.push(intendedAt)
    attempts.outcome.push(outcomes.unknown)
    attempts.acknowledgedAt.push(0)
    attempts.seq.push(0)
    attempts.serverAt.push(0)
    return index
  }

  #hashOf(index: number, units: number): number {
    const count = writeBase36(index, this.#digits)
    let hash = this.#hashBefore
    for (let i = MOST_DIGITS - count; i < MOST_DIGITS; i++) hash = hashedOn(hash, this.#digits[i] as number)
    return hashOfText(hash, { msgIdLength: this.#before.length + count, index, units })
  }

  /** False when it had been acknowledged before; then it must say the same. */
  acknowledged(attempt: number, ack: { seq: number; at: number }, now = performance.now()): boolean {
    const { outcome, seq, serverAt, acknowledgedAt } = this.attempts
    if (outcome.at(attempt) === outcomes.acknowledged) {
      if (seq.at(attempt) !== ack.seq || serverAt.at(attempt) !== ack.at) {
        const text = `seq ${seq.at(attempt)} at ${serverAt.at(attempt)}, then seq ${ack.seq} at ${ack.at}`
        this.contradicted.push({ attempt, text })
      }
      return false
    }
    outcome.set(attempt, outcomes.acknowledged)
    seq.set(attempt, ack.seq)
    serverAt.set(attempt, ack.at)
    acknowledgedAt.set(attempt, now)
    return true
  }

  /** Refused for good: it must not be stored. */
  refused(attempt: number): void {
    if (this.attempts.outcome.at(attempt) === outcomes.unknown) this.attempts.outcome.set(attempt, outcomes.refused)
  }

  /** A bound connection of that client; its number counts from 1 for each client. */
  connected(client: number, now = performance.now()): number {
    const number = (this.#connectionsOf[client] ?? 0) + 1
    this.#connectionsOf[client] = number
    this.connections.number.push(number)
    this.connections.boundAt.push(now)
    this.connections.closedAt.push(STILL_OPEN)
    return this.connections.client.push(client)
  }

  disconnected(connection: number, now = performance.now()): void {
    this.connections.closedAt.set(connection, now)
  }

  /** Every message frame of a connection, in the order they came. Returns the attempt's index, `FOREIGN` and up for none of ours. */
  showed(connection: number, conversation: number, seen: Seen): number {
    const row = this.rowOf(seen)
    this.showedRow(connection, conversation, row)
    return row.attempt
  }

  /** The same for who has it without the strings. */
  showedRow(connection: number, conversation: number, row: SeenRow): void {
    const { shown } = this
    shown.connection.push(connection)
    shown.conversation.push(conversation)
    shown.seq.push(row.seq)
    shown.attempt.push(row.attempt)
    shown.hash.push(row.hash)
    shown.fromUserId.push(row.fromUserId)
    shown.serverAt.push(row.at)
  }

  rowOf({ seq, msgId, fromUserId, text, at }: Seen): SeenRow {
    return { seq, attempt: this.attemptOf(msgId), hash: textHash(text), fromUserId, at }
  }

  marked(client: number, conversation: number, seq: number): void {
    const { marks } = this
    marks.client.push(client)
    marks.conversation.push(conversation)
    marks.seq.push(seq)
  }

  /** A client was shown how far a user is in a conversation, be it another or itself. */
  showedCursor(client: number, conversation: number, of: { userId: number; delivered: number; read: number }): void {
    const { cursors } = this
    cursors.client.push(client)
    cursors.conversation.push(conversation)
    cursors.userId.push(of.userId)
    cursors.delivered.push(of.delivered)
    cursors.read.push(of.read)
  }

  /** A client was shown how many have had and read its message in a group. */
  showedTally(
    client: number,
    conversation: number,
    of: { seq: number; delivered: number; read: number; total: number },
  ): void {
    const { tallies } = this
    tallies.client.push(client)
    tallies.conversation.push(conversation)
    tallies.seq.push(of.seq)
    tallies.delivered.push(of.delivered)
    tallies.read.push(of.read)
    tallies.total.push(of.total)
  }

  /** What a client found in a conversation's history, oldest first. */
  read(client: number, conversation: number, seen: Iterable<Seen>, { whole = true } = {}): void {
    const { records } = this
    const from = records.seq.length
    for (const { seq, msgId, fromUserId, text, at } of seen) {
      records.seq.push(seq)
      records.attempt.push(this.attemptOf(msgId))
      records.hash.push(textHash(text))
      records.fromUserId.push(fromUserId)
      records.serverAt.push(at)
    }
    this.readings.push({ client, conversation, whole, from, to: records.seq.length })
  }

  msgId(attempt: number): string {
    return attempt >= FOREIGN ? (this.foreign[attempt - FOREIGN] ?? '') : `${this.run}-${attempt.toString(36)}`
  }

  attemptOf(msgId: string): number {
    const bytes = Buffer.from(msgId)
    return this.attemptIn(bytes, 0, bytes.length)
  }

  /** Of the msgId that stands there in UTF-8. */
  attemptIn(bytes: Buffer, start: number, end: number): number {
    const before = this.#before
    let same = 0
    while (same < before.length && bytes[start + same] === before[same]) same += 1
    if (same === before.length) {
      const index = readBase36(bytes, start + same, end)
      if (index >= 0 && index < this.attempts.sender.length) return index
    }
    const msgId = bytes.toString('utf8', start, end)
    const known = this.#foreignOf.get(msgId)
    if (known !== undefined) return known
    const index = FOREIGN + this.foreign.push(msgId) - 1
    this.#foreignOf.set(msgId, index)
    return index
  }
}
