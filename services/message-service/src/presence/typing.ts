import {
  type ConversationId,
  type GroupId,
  groupOf,
  pairOf,
  TYPING_GROUP_MOST,
  type TypingNotice,
  type TypingPush,
  type UserId,
} from '@qunxin/contracts'
import { withinTime } from '@qunxin/runtime'
import type { Fanout } from '../fanout/fanout.ts'
import type { Push } from '../fanout/job.ts'
import type { MembershipCache } from '../membership/cache.ts'
import type { Preference } from '../store/preferences.ts'

/** What comes while so many wait is dropped … */
const MOST_WAITING = 500
/** … and what is not known who to tell in this time. */
const PATIENCE_MS = 500

export interface TypingOptions {
  fanout: Pick<Fanout, 'push' | 'out'>
  membership: Pick<MembershipCache, 'fresh' | 'load' | 'last'>
  preferencesOf(conversation: ConversationId): Promise<readonly Preference[]>
}

/**
 * The owner's part of who is typing: told to whoever else is in the conversation, stored nowhere. One share is on its way out at
 * a time, and what comes meanwhile gathers into the next: messages never wait for more than one.
 */
export class Typing {
  readonly #options: TypingOptions
  #waiting = new Map<string, TypingNotice>()
  #running = false

  constructor(options: TypingOptions) {
    this.#options = options
  }

  take(notice: TypingNotice): void {
    if (this.#waiting.size >= MOST_WAITING) return
    this.#waiting.set(`${notice.conversation} ${notice.user}`, notice)
    if (!this.#running) void this.#run()
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#waiting.size > 0) {
      const notices = [...this.#waiting.values()]
      this.#waiting = new Map()
      const pushes = await Promise.all(notices.map((notice) => this.#known(notice)))
      this.#options.fanout.push(pushes.flatMap((push) => (push ? [{ push }] : [])))
      await this.#options.fanout.out()
    }
    this.#running = false
  }

  /** Undefined also when it cannot be found out now: the next notice of the same user comes soon. */
  #known(notice: TypingNotice): Promise<Push | undefined> {
    return withinTime(PATIENCE_MS, this.#pushOf(notice)).catch(() => undefined)
  }

  async #pushOf({ user, conversation }: TypingNotice): Promise<Push | undefined> {
    const group = groupOf(conversation)
    const others = group === undefined ? await this.#peer(user, conversation) : await this.#othersIn(group, user)
    if (others.length === 0) return undefined
    const data: TypingPush = {
      sessionId: group ?? '',
      peerUserId: group === undefined ? Number(user) : 0,
      userId: Number(user),
    }
    return { tag: 'typing', data: { ...data }, to: { users: others }, conversation }
  }

  /** Nobody when either blocks the other: who blocks does not show that they are there. */
  async #peer(user: UserId, conversation: ConversationId): Promise<UserId[]> {
    const pair = pairOf(conversation)
    if (!pair?.includes(user) || pair[0] === pair[1]) return []
    const rows = await this.#options.preferencesOf(conversation)
    return rows.some(({ blocked }) => blocked) ? [] : pair.filter((one) => one !== user)
  }

  async #othersIn(group: GroupId, user: UserId): Promise<UserId[]> {
    const { membership } = this.#options
    if (!membership.fresh(group)) await membership.load(group)
    const members = membership.fresh(group) ?? membership.last(group)
    if (!members?.has(user) || members.users.size > TYPING_GROUP_MOST) return []
    return [...members.users].filter((one) => one !== user)
  }
}
