import type { ConversationId, UserId } from '@qunxin/contracts'
import { LRUCache } from 'lru-cache'
import { AT_START } from '../domain/present.ts'
import type { Members } from '../membership/members.ts'
import { Slots } from '../partition/slots.ts'
import type { Cursors } from '../store/cursors.ts'
import { GroupState } from './group-state.ts'

/** Commits go by the same connections. */
const READS_AT_ONCE = 8
/** Kept in memory over all groups. */
const MOST_CURSORS = 200_000

/** The cursors of groups in use, read once and then kept up with what this process stores. */
export class GroupStates {
  readonly #cursors: Pick<Cursors, 'of'>
  readonly #slots = new Slots(READS_AT_ONCE)
  readonly #states = new LRUCache<ConversationId, GroupState>({
    maxSize: MOST_CURSORS,
    sizeCalculation: ({ members }) => 1 + members.users.size,
  })

  constructor(cursors: Pick<Cursors, 'of'>) {
    this.#cursors = cursors
  }

  /** With the cursors of all these members. What was kept under another tenure may lag behind what others stored. */
  async open(conversation: ConversationId, members: Members, tenure: number | undefined): Promise<GroupState> {
    let state = this.peek(conversation, tenure)
    if (!state || tenure === undefined) {
      state = new GroupState(conversation, tenure, members)
      if (tenure !== undefined) this.#states.set(conversation, state)
    }
    if (members.version >= state.members.version) state.follow(members)
    const missing = state.missing
    if (missing.length > 0) {
      const found = await this.#slots.use(() => this.#cursors.of(conversation, missing))
      for (const user of missing) state.put(user, found.get(user) ?? AT_START)
    }
    return state
  }

  peek(conversation: ConversationId, tenure: number | undefined): GroupState | undefined {
    const state = this.#states.get(conversation)
    return state?.tenure === tenure ? state : undefined
  }

  /** These have joined at this seq, which is stored. */
  joined(conversation: ConversationId, users: readonly UserId[], seq: number): void {
    const state = this.#states.peek(conversation)
    for (const user of users) state?.put(user, { deliveredSeq: seq, readSeq: seq })
  }
}
