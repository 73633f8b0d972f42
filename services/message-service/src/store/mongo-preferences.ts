import { type ConversationId, type PreferenceChange, pairOf, peerOf, type UserId } from '@qunxin/contracts'
import { type Collection, type Db, MongoServerError } from 'mongodb'
import { answered } from './answered.ts'
import { type Preference, type Preferences, says } from './preferences.ts'

interface PreferenceDocument {
  /** `<user>/<conversation>`. */
  _id: string
  user: UserId
  conversation: ConversationId
  /** Of personal conversations, as a number: the block list goes by it. */
  peer?: number
  version: number
  blocked?: boolean
  muted?: boolean
}

const DUPLICATE_KEY = 11_000

export class MongoPreferences implements Preferences {
  readonly #rows: Collection<PreferenceDocument>

  constructor(db: Db) {
    this.#rows = db.collection('preferences')
  }

  async version(user: UserId, conversation: ConversationId): Promise<number> {
    const row = await answered(this.#rows.findOne({ _id: idOf(user, conversation) }, { projection: { version: 1 } }))
    return row?.version ?? 0
  }

  async change(change: PreferenceChange): Promise<Preference | undefined> {
    const { user, conversation, version, blocked, muted } = change
    const peer = peerOf(conversation, user)
    const set: Partial<PreferenceDocument> = { user, conversation }
    if (peer !== undefined) set.peer = Number(peer)
    if (blocked !== undefined) set.blocked = blocked
    if (muted !== undefined) set.muted = muted
    const _id = idOf(user, conversation)
    // The version is part of the condition: a write that was held up and lands late undoes nothing that was answered since.
    const write = this.#rows.findOneAndUpdate(
      { _id, version },
      { $set: set, $inc: { version: 1 } },
      { upsert: version === 0, returnDocument: 'after', writeConcern: { w: 'majority', journal: true } },
    )
    const changed = await answered(write).catch((error: unknown) => {
      if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) return null
      throw error
    })
    if (changed) return toPreference(changed)
    const there = await answered(this.#rows.findOne({ _id }))
    if (!there) return undefined
    const row = toPreference(there)
    return says(row, change) ? row : undefined
  }

  async ofPairs(conversations: readonly ConversationId[]): Promise<Preference[]> {
    const ids = conversations.flatMap((conversation) =>
      (pairOf(conversation) ?? []).map((user) => idOf(user, conversation)),
    )
    const rows = await answered(this.#rows.find({ _id: { $in: ids } }).toArray())
    return rows.map(toPreference)
  }

  async blockedBy(user: UserId, { after, limit }: { after: number; limit: number }): Promise<number[]> {
    const rows = this.#rows
      .find({ user, blocked: true, peer: { $gt: after } })
      .sort({ peer: 1 })
      .limit(limit)
      .project<{ peer: number }>({ peer: 1 })
    return (await answered(rows.toArray())).map(({ peer }) => peer)
  }

  async mutedIn(conversation: ConversationId): Promise<Set<UserId>> {
    const rows = this.#rows.find({ conversation, muted: true }).project<{ user: UserId }>({ user: 1 })
    return new Set((await answered(rows.toArray())).map(({ user }) => user))
  }
}

function idOf(user: UserId, conversation: ConversationId): string {
  return `${user}/${conversation}`
}

function toPreference(document: PreferenceDocument): Preference {
  const { user, conversation, version, blocked = false, muted = false } = document
  return { user, conversation, version, blocked, muted }
}
