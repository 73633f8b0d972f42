import { ByteWriter, type ConversationId, type UserId } from '@qunxin/contracts'
import { documentSequence } from '@qunxin/mongo'
import type { Collection, Db, Document, Filter } from 'mongodb'
import type { Message, MessageKey } from '../domain/message.ts'
import { clipped } from '../domain/visibility.ts'
import { answered } from './answered.ts'
import { applyChanges } from './apply-changes.ts'
import { documentsOf } from './document-bytes.ts'
import { conversationIn, idOf, type MessageDocument, SEQ_DIGITS, seqOf, toMessage } from './message-document.ts'
import { type Appended, type Head, type MessageLog, OutcomeUnknown, type Range, type Tail } from './message-log.ts'

/** On the disks of a majority; the server gives up saying so after a while, and then the outcome is unknown. */
const MAJORITY = { w: 'majority', j: true, wtimeout: 5_000 } as const
const DUPLICATE_KEY = 11_000
/** What a large `$in` of ids may hold without making one command too long. */
const KEYS_PER_QUERY = 500

/** Of the room documents are written in; what a very large append needed is given back. */
const KEPT_BYTES = 1024 * 1024

const NO_CHANGE = { change: { $exists: false } }

type TailDocument = Pick<MessageDocument, '_id' | 'from' | 'msgId' | 'hash' | 'at' | 'change' | 'recalled' | 'edited'>
const OF_TAIL = { from: 1, msgId: 1, hash: 1, at: 1, change: 1, recalled: 1, edited: 1 } as const

interface InsertReply {
  n: number
  writeErrors?: { index: number; code: number; keyPattern?: Document }[]
  writeConcernError?: { code: number; errmsg?: string }
}

/**
 * The log in MongoDB. Reads are from the primary with majority read concern (the client's default): a local read could show
 * what is later rolled back.
 */
export class MongoLog implements MessageLog {
  readonly #db: Db
  readonly #writeConcern: Document
  readonly #messages: Collection<MessageDocument>
  /** Where the documents of an append are written. */
  #out = new ByteWriter()

  /** Another write concern than the journals of a majority is for tests. */
  constructor(db: Db, writeConcern: Document = MAJORITY) {
    this.#db = db
    this.#writeConcern = writeConcern
    this.#messages = db.collection('messages')
  }

  async append(messages: readonly Message[]): Promise<Appended> {
    let reply: InsertReply
    try {
      // The bare command instead of insertMany: the driver's bulk path hides a duplicate key behind the write-concern error that
      // makes it count for nothing, and writes and measures every document field by field.
      const insert = this.#db.command({
        insert: 'messages',
        documents: this.#documents(messages),
        ordered: true,
        writeConcern: this.#writeConcern,
      })
      reply = (await answered(insert)) as unknown as InsertReply
    } catch (error) {
      throw new OutcomeUnknown('the insert was not answered', { cause: error })
    }
    if (reply.writeConcernError)
      throw new OutcomeUnknown(`not confirmed by a majority: ${reply.writeConcernError.errmsg}`)
    const stop = reply.writeErrors?.[0]
    if (!stop) return { stored: messages.length }
    if (stop.code !== DUPLICATE_KEY) return { stored: stop.index, stoppedBy: 'fault' }
    return { stored: stop.index, stoppedBy: stop.keyPattern?.msgId === undefined ? 'seq' : 'msgId' }
  }

  async stored(messages: readonly Message[]): Promise<boolean[]> {
    const ids = messages.map(({ conversation, seq }) => idOf(conversation, seq))
    const there = new Map<string, Pick<MessageDocument, 'from' | 'msgId' | 'at'>>()
    for (let at = 0; at < ids.length; at += KEYS_PER_QUERY) {
      const found = this.#messages
        .find({ _id: { $in: ids.slice(at, at + KEYS_PER_QUERY) } })
        .project<Pick<MessageDocument, '_id' | 'from' | 'msgId' | 'at'>>({ from: 1, msgId: 1, at: 1 })
      for (const document of await answered(found.toArray())) there.set(document._id, document)
    }
    return messages.map((message, index) => {
      const document = there.get(ids[index] ?? '')
      return document?.from === message.from && document.msgId === message.msgId && document.at === message.at
    })
  }

  applyChanges(changes: readonly Message[]): Promise<Message[]> {
    return applyChanges(this.#db, changes, this.#writeConcern)
  }

  async tail(conversation: ConversationId, limit: number): Promise<Tail> {
    const newestFirst = this.#messages
      .find(between(conversation))
      .sort({ _id: -1 })
      .limit(limit)
      .project<TailDocument>(OF_TAIL)
      .toArray()
    return tailOf((await answered(newestFirst)).reverse())
  }

  async tails(conversations: readonly ConversationId[], limit: number): Promise<Tail[]> {
    const [only, ...others] = conversations
    if (only === undefined) return []
    if (others.length === 0) return [await this.tail(only, limit)]
    // Most of many that are loaded together have just begun. Of the others it is known which entries there are: seqs have no hole.
    const heads = await answered(this.heads(conversations))
    const ids = heads.flatMap(({ conversation, seq }) =>
      Array.from({ length: Math.min(limit, seq) }, (_, i) => idOf(conversation, seq - i)),
    )
    const inOrder = () =>
      this.#messages
        .find({ _id: { $in: ids } }, { batchSize: ids.length + 1 })
        .sort({ _id: 1 })
        .project<TailDocument>(OF_TAIL)
        .toArray()
    const found = ids.length > 0 ? await answered(inOrder()) : []
    const byConversation = Map.groupBy(found, ({ _id }) => conversationIn(_id))
    const newest = new Map(heads.map(({ conversation, seq }) => [conversation, seq]))
    const whole = async (conversation: ConversationId) => {
      const tail = tailOf(byConversation.get(conversation) ?? [])
      // A head that is gone by now, or is not there yet on another primary, is no sign of an empty log.
      return tail.seq === (newest.get(conversation) ?? 0) ? tail : this.tail(conversation, limit)
    }
    return Promise.all(conversations.map(whole))
  }

  async originals(keys: readonly MessageKey[]): Promise<(Message | undefined)[]> {
    const name = ({ conversation, from, msgId }: MessageKey) => `${conversation}/${from}/${msgId}`
    const found = new Map<string, Message>()
    for (let at = 0; at < keys.length; at += KEYS_PER_QUERY) {
      const $or = keys
        .slice(at, at + KEYS_PER_QUERY)
        .map(({ conversation, from, msgId }) => ({ conversation, from, msgId }))
      for (const document of await answered(this.#messages.find({ $or }).toArray()))
        found.set(name(document), toMessage(document))
    }
    return keys.map((key) => found.get(name(key)))
  }

  async after(conversation: ConversationId, time: number, limit: number): Promise<Message[]> {
    const page = this.#messages
      .find({ conversation, at: { $gt: time }, ...NO_CHANGE })
      .sort({ conversation: 1, at: 1 })
      .limit(limit)
    return (await page.toArray()).map(toMessage)
  }

  async oldest(conversation: ConversationId, range: Range): Promise<Message[]> {
    return (await this.#within(conversation, range, 1)).map(toMessage)
  }

  async newest(conversation: ConversationId, range: Range): Promise<Message[]> {
    return (await this.#within(conversation, range, -1)).reverse().map(toMessage)
  }

  async seqsAt(points: readonly { conversation: ConversationId; time: number }[]): Promise<number[]> {
    if (points.length === 0) return []
    // One command for all of them, and one key of the index for each.
    const found = this.#db.aggregate<{ index: number; newest: { _id: string }[] }>([
      { $documents: points.map(({ conversation, time }, index) => ({ conversation, time, index })) },
      {
        $lookup: {
          from: 'messages',
          localField: 'conversation',
          foreignField: 'conversation',
          let: { time: '$time' },
          pipeline: [
            { $match: { $expr: { $lte: ['$at', '$$time'] } } },
            { $sort: { conversation: -1, at: -1 } },
            { $limit: 1 },
            { $project: { _id: 1 } },
          ],
          as: 'newest',
        },
      },
    ])
    const seqs = points.map(() => 0)
    for (const { index, newest } of await answered(found.toArray())) if (newest[0]) seqs[index] = seqOf(newest[0]._id)
    return seqs
  }

  async lastBySender(conversation: ConversationId, time: number): Promise<Map<UserId, number>> {
    const senders = this.#messages.aggregate<{ _id: UserId; at: number }>([
      { $match: { conversation, at: { $gt: time }, ...NO_CHANGE } },
      { $group: { _id: '$from', at: { $max: '$at' } } },
    ])
    return new Map((await answered(senders.toArray())).map(({ _id, at }) => [_id, at]))
  }

  async authors(conversation: ConversationId, fromSeq: number, toSeq: number): Promise<UserId[]> {
    const found = this.#messages
      .find(between(conversation, fromSeq, toSeq))
      .sort({ _id: 1 })
      .project<Pick<MessageDocument, '_id' | 'from' | 'change'>>({ from: 1, 'change.kind': 1 })
    const authors: UserId[] = []
    for (const { _id, from, change } of await answered(found.toArray())) {
      while (authors.length < seqOf(_id) - fromSeq) authors.push('')
      authors.push(change ? '' : from)
    }
    return authors
  }

  async heads(conversations: readonly ConversationId[]): Promise<Head[]> {
    if (conversations.length === 0) return []
    // $sort with $group $first on (conversation, at) is a DISTINCT_SCAN: one key per conversation, not one per message.
    const heads = this.#messages.aggregate<{ _id: string; last: string; at: number }>(
      [
        { $match: { conversation: { $in: [...conversations] } } },
        { $sort: { conversation: -1, at: -1 } },
        { $group: { _id: '$conversation', last: { $first: '$_id' }, at: { $first: '$at' } } },
      ],
      // All in one reply: a second one would be a second command.
      { batchSize: conversations.length + 1 },
    )
    return (await heads.toArray()).map(({ _id, last, at }) => ({ conversation: _id, seq: seqOf(last), at }))
  }

  #documents(messages: readonly Message[]): unknown {
    const documents = documentSequence('documents', documentsOf(messages, this.#out))
    if (this.#out.length > KEPT_BYTES) this.#out = new ByteWriter()
    return documents
  }

  #within(conversation: ConversationId, range: Range, direction: 1 | -1): Promise<MessageDocument[]> {
    const { fromSeq = 0, toSeq, within = [{ fromSeq }] } = range
    const [first, ...others] = clipped(within, toSeq === undefined ? { fromSeq } : { fromSeq, toSeq }).map((part) =>
      between(conversation, part.fromSeq, part.toSeq),
    )
    if (!first) return Promise.resolve([])
    const filter = others.length > 0 ? { $or: [first, ...others] } : first
    if (range.notFrom !== undefined) filter.from = { $ne: range.notFrom }
    if (range.afterTime !== undefined) filter.at = { $gt: range.afterTime }
    if (range.changes === false) Object.assign(filter, NO_CHANGE)
    return answered(this.#messages.find(filter).sort({ _id: direction }).limit(range.limit).toArray())
  }
}

function tailOf(documents: readonly TailDocument[]): Tail {
  const recent = documents.map(({ _id, ...fields }) => ({ ...fields, seq: seqOf(_id) }))
  const { seq, at } = recent.at(-1) ?? { seq: 0, at: 0 }
  return { seq, at, recent }
}

function between(conversation: ConversationId, fromSeq = 0, toSeq?: number): Filter<MessageDocument> {
  const last = toSeq === undefined ? `${conversation}:${'9'.repeat(SEQ_DIGITS)}` : idOf(conversation, toSeq)
  return { _id: { $gte: idOf(conversation, fromSeq), $lte: last } }
}
