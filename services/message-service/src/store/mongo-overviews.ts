import type { ConversationId, UserId } from '@qunxin/contracts'
import type { Db, Document } from 'mongodb'
import type { Message } from '../domain/message.ts'
import type { Cursor, Floor } from '../domain/present.ts'
import type { ChangeEntry } from '../domain/unread.ts'
import { answered } from './answered.ts'
import { conversationIn, idOf, type MessageDocument, seqOf, toMessage } from './message-document.ts'
import * as parts from './overview-parts.ts'
import type { CountAsked, Overviews } from './overviews.ts'

/** What one reply may carry is the only bound: a second one would be a second command. */
const BATCH = 100_000

/** A row of an answer made of several parts: which fields it has tells which part it is of. */
interface Row {
  place?: ConversationId
  groupPlace?: ConversationId
  at?: number
  point?: number
  seq?: string
  head?: MessageDocument
  headId?: string
  cursor?: { user: UserId; conversation: ConversationId } & Cursor
  floor?: ConversationId
  delivered?: Floor['delivered']
  read?: Floor['read']
  muted?: ConversationId
  change?: { id: string; conversation: ConversationId } & Omit<ChangeEntry, 'seq'>
  bound?: string
  last?: MessageDocument
  counted?: ConversationId
  n?: number
  begun?: ConversationId
}

/** {@link Overviews} in MongoDB: what one method reads of several collections comes by `$unionWith`. */
export class MongoOverviews implements Overviews {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async places(user: UserId, { after, limit, groups, points }: Parameters<Overviews['places']>[1]) {
    const rows = await this.#union([
      parts.rowsByTime(user, after, limit),
      ...parts.groupTimes(groups),
      ...parts.seqsAt(points),
    ])
    return {
      personal: rows.flatMap(({ place, at = 0 }) => (place === undefined ? [] : [{ conversation: place, at }])),
      groups: rows.flatMap(({ groupPlace, at = 0 }) =>
        groupPlace === undefined ? [] : [{ conversation: groupPlace, at }],
      ),
      seqs: seqsIn(rows, points.length),
    }
  }

  async details(user: UserId, { conversations, points }: Parameters<Overviews['details']>[1]) {
    const rows = await this.#union([
      ...parts.headEntries(conversations),
      ...parts.cursors(conversations, user),
      ...parts.floors(conversations),
      ...parts.muted(user, conversations),
      ...parts.seqsAt(points),
    ])
    const heads = rows.flatMap(({ head }) => (head ? [[head.conversation, toMessage(head)] as const] : []))
    return {
      heads: new Map(heads),
      ...standingIn(rows),
      muted: new Set(rows.flatMap(({ muted }) => muted ?? [])),
      seqs: seqsIn(rows, points.length),
    }
  }

  async begins({ windows, lasts }: Parameters<Overviews['begins']>[0]) {
    const rows = await this.#union([...parts.changes(windows), ...parts.bounds(windows), ...parts.lasts(lasts)])
    const changes = new Map<ConversationId, ChangeEntry[]>()
    for (const { change: row } of rows) {
      if (!row) continue
      const { id, conversation, from, change } = row
      const entry = { seq: seqOf(id), from, change }
      const found = changes.get(conversation)
      if (found) found.push(entry)
      else changes.set(conversation, [entry])
    }
    const newest = new Map<ConversationId, Message>()
    for (const { last } of rows) {
      const message = last && toMessage(last)
      if (message && message.seq > (newest.get(message.conversation)?.seq ?? 0))
        newest.set(message.conversation, message)
    }
    const times = new Map<ConversationId, Map<number, number>>()
    for (const { bound, at = 0 } of rows) {
      if (bound === undefined) continue
      const conversation = conversationIn(bound)
      const found = times.get(conversation) ?? new Map<number, number>()
      times.set(conversation, found.set(seqOf(bound), at))
    }
    return { times, changes, lasts: newest }
  }

  async countOthers(user: UserId, asked: readonly CountAsked[]) {
    const rows = await this.#union(asked.map((one) => parts.countOfOthers(user, one)))
    return new Map(rows.flatMap(({ counted, n = 0 }) => (counted === undefined ? [] : [[counted, n] as const])))
  }

  async begun(user: UserId, { after, limit, heads, points }: Parameters<Overviews['begun']>[1]) {
    const rows = await this.#union([
      parts.rowsById(user, after, limit),
      ...parts.headSeqs(heads),
      ...parts.seqsAt(points),
    ])
    return {
      personal: rows.flatMap(({ begun }) => (begun === undefined ? [] : [begun.slice(user.length + 1)])),
      heads: headSeqsIn(rows),
      seqs: seqsIn(rows, points.length),
    }
  }

  async standing({ readers, heads }: Parameters<Overviews['standing']>[0]) {
    const rows = await this.#union([...parts.cursors(readers), ...parts.floors(readers), ...parts.headSeqs(heads)])
    return { ...standingIn(rows), heads: headSeqsIn(rows) }
  }

  async entries(asked: Parameters<Overviews['entries']>[0]): Promise<Message[]> {
    if (asked.length === 0) return []
    const ids = asked.map(({ conversation, seq }) => idOf(conversation, seq))
    const found = this.#db.collection<MessageDocument>('messages').find({ _id: { $in: ids } }, { batchSize: BATCH })
    return (await answered(found.toArray())).map(toMessage)
  }

  async #union([first, ...others]: parts.Part[]): Promise<Row[]> {
    if (!first) return []
    const pipeline: Document[] = [
      ...first.pipeline,
      ...others.map(({ coll, pipeline }) => ({ $unionWith: { ...(coll && { coll }), pipeline } })),
    ]
    const options = { batchSize: BATCH, ...(first.hint && { hint: first.hint }) }
    const rows = first.coll
      ? this.#db.collection(first.coll).aggregate<Row>(pipeline, options)
      : this.#db.aggregate<Row>(pipeline, options)
    return answered(rows.toArray())
  }
}

function seqsIn(rows: readonly Row[], count: number): number[] {
  const seqs = Array.from({ length: count }, () => 0)
  for (const { point, seq } of rows) if (point !== undefined && seq !== undefined) seqs[point] = seqOf(seq)
  return seqs
}

function headSeqsIn(rows: readonly Row[]): Map<ConversationId, number> {
  const heads = rows.flatMap(({ headId }) =>
    headId === undefined ? [] : [[conversationIn(headId), seqOf(headId)] as const],
  )
  return new Map(heads)
}

function standingIn(rows: readonly Row[]) {
  const cursors = new Map<ConversationId, Map<UserId, Cursor>>()
  const floors = new Map<ConversationId, Floor>()
  for (const { cursor, floor, delivered = [], read = [] } of rows) {
    if (cursor) {
      const { user, conversation, deliveredSeq, readSeq } = cursor
      const readers = cursors.get(conversation) ?? new Map<UserId, Cursor>()
      cursors.set(conversation, readers.set(user, { deliveredSeq, readSeq }))
    }
    if (floor !== undefined) floors.set(floor, { delivered, read })
  }
  return { cursors, floors }
}
