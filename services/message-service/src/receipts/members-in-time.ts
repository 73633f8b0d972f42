import { setTimeout as delay } from 'node:timers/promises'
import type { ConversationId } from '@qunxin/contracts'
import type { Members } from '../membership/members.ts'
import { Slots } from '../partition/slots.ts'

/** Mostly they are known, or an answer away; what takes longer keeps nobody else waiting. */
const WAIT_MS = 250
const ASKING_AT_ONCE = 64

/** The members of groups that are known in time; those of the others are there soon after, for who asks again. */
export class MembersInTime {
  readonly #membersNow: (conversation: ConversationId) => Promise<Members | undefined>
  readonly #lastMembers: (conversation: ConversationId) => Members | undefined
  readonly #slots = new Slots(ASKING_AT_ONCE)
  readonly #asking = new Map<ConversationId, Promise<void>>()
  /** Answers nobody has taken yet. */
  readonly #answers = new Map<ConversationId, Members>()

  constructor({
    membersNow,
    lastMembers,
  }: {
    membersNow(conversation: ConversationId): Promise<Members | undefined>
    /** What is known of them, however old. */
    lastMembers(conversation: ConversationId): Members | undefined
  }) {
    this.#membersNow = membersNow
    this.#lastMembers = lastMembers
  }

  async of(conversations: readonly ConversationId[]): Promise<Map<ConversationId, Members>> {
    const late = new AbortController()
    const all = Promise.all(conversations.map((conversation) => this.#ask(conversation)))
    await Promise.race([all, delay(WAIT_MS, undefined, { signal: late.signal, ref: false }).catch(() => {})])
    late.abort()
    const found = new Map<ConversationId, Members>()
    for (const conversation of conversations) {
      const members = this.#answers.get(conversation)
      if (members) found.set(conversation, this.#newerThan(members, conversation))
      this.#answers.delete(conversation)
    }
    return found
  }

  /** Since an answer came late, some may have joined, and have read already. */
  #newerThan(members: Members, conversation: ConversationId): Members {
    const last = this.#lastMembers(conversation)
    return last && last.version >= members.version ? last : members
  }

  #ask(conversation: ConversationId): Promise<void> {
    if (this.#answers.has(conversation)) return Promise.resolve()
    const asking =
      this.#asking.get(conversation) ??
      this.#slots
        .use(async () => {
          const members = await this.#membersNow(conversation)
          if (members) this.#answers.set(conversation, members)
        })
        .finally(() => this.#asking.delete(conversation))
    this.#asking.set(conversation, asking)
    return asking
  }
}
