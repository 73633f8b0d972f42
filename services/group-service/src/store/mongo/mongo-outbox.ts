import type { Outbox, OutboxFact } from '../outbox.ts'
import type { Collections } from './database.ts'

export class MongoOutbox implements Outbox {
  readonly #outbox: Collections['outbox']

  constructor({ outbox }: Pick<Collections, 'outbox'>) {
    this.#outbox = outbox
  }

  async oldest(most: number): Promise<OutboxFact[]> {
    const docs = await this.#outbox.find().sort({ at: 1, _id: 1 }).limit(most).toArray()
    return docs.map(({ _id, what, data }) => ({ id: _id, what, data }))
  }

  async remove(ids: readonly string[]): Promise<void> {
    await this.#outbox.deleteMany({ _id: { $in: [...ids] } })
  }
}
