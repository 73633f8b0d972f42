import type { ConversationId } from '@qunxin/contracts'
import type { Collection, Db, Document } from 'mongodb'
import type { Floor } from '../domain/present.ts'
import { answered } from './answered.ts'
import type { FloorDocument, Floors } from './floors.ts'

export class MongoFloors implements Floors {
  readonly #floors: Collection<FloorDocument>

  constructor(db: Db) {
    this.#floors = db.collection('floors')
  }

  async of(conversations: readonly ConversationId[]): Promise<Map<ConversationId, Floor>> {
    if (conversations.length === 0) return new Map()
    const found = await answered(this.#floors.find({ _id: { $in: [...conversations] } }).toArray())
    return new Map(found.map(({ _id, delivered, read }) => [_id, { delivered, read }] as const))
  }

  async raise(floors: readonly FloorDocument[]): Promise<void> {
    if (floors.length === 0) return
    const write = this.#floors.bulkWrite(
      floors.map(({ _id, ...next }) => ({ updateOne: { filter: { _id }, update: replacing(next), upsert: true } })),
      { ordered: false },
    )
    await answered(write)
  }

  async remove(conversations: readonly ConversationId[]): Promise<void> {
    if (conversations.length > 0) await answered(this.#floors.deleteMany({ _id: { $in: [...conversations] } }))
  }
}

/** mayReplace of domain/floors.ts, as the server decides it beside all other writers. */
function replacing(next: Omit<FloorDocument, '_id'>): Document[] {
  const isNew = { $eq: [{ $type: '$version' }, 'missing'] }
  const mayReplace = { $and: [mayFollow('delivered', next), mayFollow('read', next)] }
  const chosen = (field: keyof typeof next) => ({
    $cond: [{ $or: [isNew, mayReplace] }, { $literal: next[field] }, `$${field}`],
  })
  return [{ $set: { version: chosen('version'), delivered: chosen('delivered'), read: chosen('read') } }]
}

function mayFollow(cursor: 'delivered' | 'read', next: Omit<FloorDocument, '_id'>): Document {
  const entries = next[cursor]
  const isAsLong = { $eq: [{ $size: { $ifNull: [`$${cursor}`, []] } }, entries.length] }
  const isNewer = { $lt: ['$version', next.version] }
  const isNoLower = entries.map(([, seq], index) => ({ $lte: [storedSeq(cursor, index), seq] }))
  const lowest = entries[0]?.[1] ?? 0
  return {
    $cond: [
      isAsLong,
      { $and: isNoLower },
      { $and: [isNewer, { $lte: [{ $ifNull: [storedSeq(cursor, 0), 0] }, lowest] }] },
    ],
  }
}

function storedSeq(cursor: 'delivered' | 'read', index: number): Document {
  return { $arrayElemAt: [{ $arrayElemAt: [`$${cursor}`, index] }, 1] }
}
