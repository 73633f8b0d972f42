import type { Outbox, OutboxFact } from '../outbox.ts'
import type { Collections } from './database.ts'

/** Times are those of the database, as its own removal of what is old goes by them. */
export class MongoOutbox implements Outbox {
  readonly #outbox: Collections['outbox']

  constructor({ outbox }: Pick<Collections, 'outbox'>) {
    this.#outbox = outbox
  }

  async oldest(most: number): Promise<OutboxFact[]> {
    const docs = await this.#outbox.find({ waiting: true }).sort({ at: 1, _id: 1 }).limit(most).toArray()
    return docs.map(({ _id, what, data }) => ({ id: _id, what, data }))
  }

  async published(ids: readonly string[]): Promise<void> {
    await this.#outbox.updateMany({ _id: { $in: [...ids] } }, [
      { $set: { publishedAt: '$$NOW' } },
      { $unset: 'waiting' },
    ])
  }

  async publishAgain(withinMs: number): Promise<void> {
    const lately = { $expr: { $gte: ['$publishedAt', { $subtract: ['$$NOW', withinMs] }] } }
    await this.#outbox.updateMany(lately, { $set: { waiting: true }, $unset: { publishedAt: '' } })
  }
}
