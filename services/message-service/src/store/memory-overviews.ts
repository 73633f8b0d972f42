import { type ConversationId, groupOf, pairOf, type UserId } from '@qunxin/contracts'
import type { Message } from '../domain/message.ts'
import type { Cursor } from '../domain/present.ts'
import type { Cursors } from './cursors.ts'
import type { Floors } from './floors.ts'
import type { MemoryConversations } from './memory-conversations.ts'
import type { MessageLog } from './message-log.ts'
import { byPlace, type CountAsked, type Overviews } from './overviews.ts'
import type { Preferences } from './preferences.ts'

export interface MemoryStores {
  log: MessageLog
  cursors: Cursors
  conversations: MemoryConversations
  floors: Floors
  preferences: Preferences
}

const EVERYTHING = { limit: Number.POSITIVE_INFINITY }

/** Overviews of stores in memory, for tests. */
export class MemoryOverviews implements Overviews {
  readonly #stores: MemoryStores

  constructor(stores: MemoryStores) {
    this.#stores = stores
  }

  async places(user: UserId, { after, limit, groups, points }: Parameters<Overviews['places']>[1]) {
    const { conversations, log } = this.#stores
    const rows = conversations.rows(user).filter((row) => after === undefined || byPlace(after, row) < 0)
    const heads = await log.heads(groups)
    return {
      personal: rows.filter(({ conversation }) => conversation !== after?.conversation).slice(0, limit),
      groups: heads.map(({ conversation, at }) => ({ conversation, at })),
      seqs: await log.seqsAt(points),
    }
  }

  async details(user: UserId, { conversations, points }: Parameters<Overviews['details']>[1]) {
    const { log, preferences } = this.#stores
    const newest = await Promise.all(conversations.map((one) => log.newest(one, { limit: 1 })))
    const muted = await Promise.all(conversations.map((one) => preferences.mutedIn(one)))
    return {
      heads: new Map(newest.flat().map((message) => [message.conversation, message] as const)),
      ...(await this.#standing(conversations, user)),
      muted: new Set(conversations.filter((_, index) => muted[index]?.has(user))),
      seqs: await log.seqsAt(points),
    }
  }

  async begins({ windows, lasts }: Parameters<Overviews['begins']>[0]) {
    const { log } = this.#stores
    const times = new Map<ConversationId, Map<number, number>>()
    const changes = new Map<ConversationId, (Message & Required<Pick<Message, 'change'>>)[]>()
    for (const { conversation, fromSeq, toSeq } of windows) {
      const entries = await log.oldest(conversation, { fromSeq, toSeq, ...EVERYTHING })
      const ends = entries.filter(({ seq }) => seq === fromSeq || seq === toSeq)
      const found = ends.map(({ seq, at }) => [seq, at] as const)
      times.set(conversation, new Map([...(times.get(conversation) ?? []), ...found]))
      const changed = entries.flatMap((entry) => (entry.change ? [{ ...entry, change: entry.change }] : []))
      changes.set(conversation, [...(changes.get(conversation) ?? []), ...changed])
    }
    const found = new Map<ConversationId, Message>()
    for (const { conversation, ranges } of lasts) {
      const [last] = await log.newest(conversation, { within: ranges, changes: false, limit: 1 })
      if (last) found.set(conversation, last)
    }
    return { times, changes, lasts: found }
  }

  async countOthers(user: UserId, asked: readonly CountAsked[]) {
    const counted = new Map<ConversationId, number>()
    for (const { conversation, fromTime, toTime, limit } of asked) {
      const entries = await this.#stores.log.oldest(conversation, { notFrom: user, ...EVERYTHING })
      const within = entries.filter(({ at }) => at >= fromTime && at <= toTime)
      counted.set(conversation, Math.min(limit, within.length))
    }
    return counted
  }

  async begun(user: UserId, { after, limit, heads, points }: Parameters<Overviews['begun']>[1]) {
    const { conversations, log } = this.#stores
    const personal = conversations.rows(user).map(({ conversation }) => conversation)
    return {
      personal: personal
        .filter((one) => one > after)
        .sort()
        .slice(0, limit),
      heads: await this.#headSeqs(heads),
      seqs: await log.seqsAt(points),
    }
  }

  async standing({ readers, heads }: Parameters<Overviews['standing']>[0]) {
    return { ...(await this.#standing(readers)), heads: await this.#headSeqs(heads) }
  }

  async entries(asked: Parameters<Overviews['entries']>[0]): Promise<Message[]> {
    const wanted = Map.groupBy(asked, ({ conversation }) => conversation)
    const read = [...wanted].map(async ([conversation, places]) => {
      const seqs = new Set(places.map(({ seq }) => seq))
      const entries = await this.#stores.log.oldest(conversation, EVERYTHING)
      return entries.filter(({ seq }) => seqs.has(seq))
    })
    return (await Promise.all(read)).flat()
  }

  async #standing(conversations: readonly ConversationId[], user?: UserId) {
    const { cursors, floors } = this.#stores
    const found = new Map<ConversationId, Map<UserId, Cursor>>()
    for (const conversation of conversations) {
      const readers = pairOf(conversation) ?? (user === undefined ? [] : [user])
      found.set(conversation, await cursors.of(conversation, readers))
    }
    return { cursors: found, floors: await floors.of(conversations.filter((one) => groupOf(one) !== undefined)) }
  }

  async #headSeqs(conversations: readonly ConversationId[]): Promise<Map<ConversationId, number>> {
    return new Map((await this.#stores.log.heads(conversations)).map(({ conversation, seq }) => [conversation, seq]))
  }
}
