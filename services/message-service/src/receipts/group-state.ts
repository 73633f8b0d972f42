import type { ConversationId, UserId } from '@qunxin/contracts'
import type { VersionedFloor } from '../domain/floors.ts'
import { AT_START, type Cursor, further, sinceJoining } from '../domain/present.ts'
import type { Members } from '../membership/members.ts'

/** The cursors of one group's members, while its partition is ours without a break. */
export class GroupState {
  readonly conversation: ConversationId
  readonly tenure: number | undefined
  /** As of the last look. */
  members: Members
  /** The newest seq that was a receipt's limit. */
  newest = 0
  /** What was written last. */
  floor: VersionedFloor | undefined
  /** Where those who moved were when the authors were told last. */
  moved = new Map<UserId, Cursor>()
  /** Somebody left whom all counts had in them. */
  recount = false
  /** Who wrote the newest messages, from `firstSeq` on; empty for what is no message. */
  authors: { firstSeq: number; from: UserId[] } = { firstSeq: 1, from: [] }
  /** When its authors may be told again (monotonic ms). */
  nextCountsAt = 0
  readonly #cursors = new Map<UserId, Cursor>()
  /** Of whom the authors were told everything, or will be. */
  readonly #followed = new Set<UserId>()

  constructor(conversation: ConversationId, tenure: number | undefined, members: Members) {
    this.conversation = conversation
    this.tenure = tenure
    this.members = members
  }

  /** Members whose cursors were not read yet. */
  get missing(): UserId[] {
    return [...this.members.users].filter((user) => !this.#cursors.has(user))
  }

  of(user: UserId): Cursor {
    return sinceJoining(this.#cursors.get(user) ?? AT_START, this.members.joinedSeq.get(user) ?? 0)
  }

  covers(user: UserId, { deliveredSeq, readSeq }: Cursor): boolean {
    const cursor = this.#cursors.get(user) ?? AT_START
    return cursor.deliveredSeq >= deliveredSeq && cursor.readSeq >= readSeq
  }

  /** It stands so in the store. */
  put(user: UserId, cursor: Cursor): void {
    this.#cursors.set(user, further(this.#cursors.get(user) ?? AT_START, cursor))
  }

  /**
   * Whose cursor is about to move: the authors are to be told. `told` is where they have it by what they were told before this
   * state was opened, as far as that is remembered.
   */
  moves(user: UserId, told: Cursor): void {
    if (!this.moved.has(user)) this.moved.set(user, this.#followed.has(user) ? this.of(user) : told)
    this.#followed.add(user)
  }

  /** Those who left are no more in here, so that whoever comes again is read again; and they count no more. */
  follow(members: Members): void {
    this.members = members
    for (const user of this.#cursors.keys()) {
      if (members.has(user)) continue
      this.#cursors.delete(user)
      this.#followed.delete(user)
      this.recount = true
    }
  }

  /** The cursors of the members. */
  *entries(): Generator<[UserId, Cursor]> {
    for (const user of this.members.users) yield [user, this.of(user)]
  }
}
