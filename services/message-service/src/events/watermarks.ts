import type { ClientSession, Collection, Db, Timestamp } from 'mongodb'

/** An instance that has not renewed its watermark for so long may be dead. */
export const SILENT_MS = 10_000
const CLAIM_MS = 15_000

interface WatermarkDocument {
  /** The instance, or what else is to be read back. */
  _id: string
  /** Everything of it that was stored before is in the stream. */
  publishedUntil: Date
  renewedAt: Date
  /** Who reads it back, and until when nobody else does. */
  claim?: { by: string; until: Date }
}

/** How far something is published, as whoever reads it back finds it. */
export interface Watermark {
  id: string
  /** Milliseconds by the clock of the database. */
  publishedUntil: number
  /** The place in the oplog before which everything stands that is to be read back. */
  upTo: Timestamp
}

const ago = (ms: number) => ({ $subtract: ['$$NOW', ms] })

/** How far what each instance stored is published; one small document each. All times are those of the database. */
export class Watermarks {
  readonly #db: Db
  readonly #watermarks: Collection<WatermarkDocument>

  constructor(db: Db) {
    this.#db = db
    this.#watermarks = db.collection('watermarks')
  }

  /**
   * Says that the instance lives, and how far it is; without a time nothing was to be published yet. Whoever took it for dead
   * lets go of it.
   *
   * @returns the database's time
   */
  async renew(instance: string, publishedUntil?: number): Promise<number> {
    const until =
      publishedUntil === undefined
        ? { $ifNull: ['$publishedUntil', '$$NOW'] }
        : { $min: [new Date(publishedUntil), '$$NOW'] }
    const renewed = await this.#watermarks.findOneAndUpdate(
      { _id: instance },
      [{ $set: { publishedUntil: until, renewedAt: '$$NOW' } }, { $unset: 'claim' }],
      { upsert: true, returnDocument: 'after', projection: { renewedAt: 1 } },
    )
    if (!renewed) throw new Error('a watermark that was written is not there')
    return renewed.renewedAt.getTime()
  }

  /** Everything the instance stored is published. */
  async remove(instance: string): Promise<void> {
    await this.#watermarks.deleteOne({ _id: instance })
  }

  /** Has everything stored in the last `withinMs` read back by whoever comes first. */
  async readBack(id: string, withinMs: number): Promise<void> {
    await this.#watermarks.updateOne(
      { _id: id },
      [{ $set: { publishedUntil: ago(withinMs), renewedAt: new Date(0) } }],
      { upsert: true },
    )
  }

  /** The place in the oplog up to which an instance reads back what it doubts itself. */
  async upTo(instance: string): Promise<Timestamp> {
    const renew = (session: ClientSession) =>
      this.#watermarks.updateOne({ _id: instance }, [{ $set: { renewedAt: '$$NOW' } }], { session })
    return (await this.#placed(renew)).upTo
  }

  /** Takes over what nobody has renewed for a while, the oldest first; undefined when there is nothing. */
  async claim(by: string): Promise<Watermark | undefined> {
    const isSilent = { $lt: ['$renewedAt', ago(SILENT_MS)] }
    const isFree = { $lt: [{ $ifNull: ['$claim.until', new Date(0)] }, '$$NOW'] }
    const { result: claimed, upTo } = await this.#placed((session) =>
      this.#watermarks.findOneAndUpdate(
        { $expr: { $and: [isSilent, isFree] } },
        [{ $set: { claim: { by, until: { $add: ['$$NOW', CLAIM_MS] } } } }],
        { sort: { publishedUntil: 1 }, returnDocument: 'after', session },
      ),
    )
    return claimed ? { id: claimed._id, publishedUntil: claimed.publishedUntil.getTime(), upTo } : undefined
  }

  /** @returns whether the claim still stands */
  async keep(id: string, by: string): Promise<boolean> {
    const kept = await this.#watermarks.updateOne({ _id: id, 'claim.by': by }, [
      { $set: { 'claim.until': { $add: ['$$NOW', CLAIM_MS] } } },
    ])
    return kept.matchedCount === 1
  }

  /** What was claimed is read back; what its instance has renewed meanwhile stays. */
  async finish(id: string, by: string): Promise<void> {
    await this.#watermarks.deleteOne({ _id: id, 'claim.by': by })
  }

  /** What a write gave, and its place in the oplog. */
  async #placed<T>(write: (session: ClientSession) => Promise<T>): Promise<{ result: T; upTo: Timestamp }> {
    return this.#db.client.withSession(async (session) => {
      const result = await write(session)
      const upTo = session.operationTime
      if (!upTo) throw new Error('MongoDB tells no place in its oplog: it must be a replica set')
      return { result, upTo }
    })
  }
}
