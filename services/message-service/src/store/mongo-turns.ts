import type { ConversationId } from '@qunxin/contracts'
import { type Collection, type Db, MongoServerError } from 'mongodb'
import { answered } from './answered.ts'
import type { Turns } from './turns.ts'

/** Who does not say for so long that it goes on has died. */
const LEASE_MS = 15_000
const DUPLICATE_KEY = 11_000
const ID = 'retention'

interface TurnDocument {
  _id: typeof ID
  holder: string
  until: number
  /** When the next pass may begin; of one under way when it might. */
  dueAt: number
  after: ConversationId
}

/** The turn as one document among the settings. Two at once, as with clocks that differ, would only do the same thing twice. */
export class MongoTurns implements Turns {
  readonly #settings: Collection<TurnDocument>

  constructor(db: Db) {
    this.#settings = db.collection('settings')
  }

  async take(holder: string, now: number): Promise<{ after: ConversationId } | undefined> {
    try {
      const taken = this.#settings.findOneAndUpdate(
        { _id: ID, until: { $lte: now }, dueAt: { $lte: now } },
        { $set: { holder, until: now + LEASE_MS }, $setOnInsert: { after: '', dueAt: now } },
        { upsert: true, returnDocument: 'after' },
      )
      return (await answered(taken)) ?? undefined
    } catch (error) {
      // It is there, and it is somebody else's or not due yet.
      if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) return undefined
      throw error
    }
  }

  async keep(holder: string, now: number, after: ConversationId): Promise<boolean> {
    return this.#set(holder, { until: now + LEASE_MS, after })
  }

  async leave(holder: string, after: ConversationId): Promise<void> {
    await this.#set(holder, { until: 0, after })
  }

  async finish(holder: string, nextAt: number): Promise<void> {
    await this.#set(holder, { until: 0, dueAt: nextAt, after: '' })
  }

  async #set(holder: string, fields: Partial<TurnDocument>): Promise<boolean> {
    const { matchedCount } = await answered(this.#settings.updateOne({ _id: ID, holder }, { $set: fields }))
    return matchedCount > 0
  }
}
