import {
  type GroupId,
  groupConversation,
  type membersOf as membersOperation,
  type OutputOf,
  type UserId,
} from '@qunxin/contracts'
import { LRUCache } from 'lru-cache'
import { COUNTED_MEMBERS } from '../domain/floors.ts'
import { AT_START, type Cursor, sinceJoining } from '../domain/present.ts'
import type { MembershipSource } from '../membership/source.ts'
import type { Cursors } from '../store/cursors.ts'
import type { MessageLog } from '../store/message-log.ts'
import { seqsOfTimes } from './seqs-of-times.ts'

/** Larger ones at most once in this time. */
const KEPT_MS = 5_000
/** Kept over all groups. */
const MOST_KEPT = 200_000
const CURSORS_PER_READ = 1_000

export interface MemberCursor extends Cursor {
  user: UserId
  /** The newest seq when they came: they count for what was sent later. */
  joinedSeq: number
}

type Members = OutputOf<typeof membersOperation>['members']

/** How far each member of a group is, by user id: of groups up to 500 as it is now, of larger ones as it was up to 5 s ago. */
export class MemberCursors {
  readonly #membership: Pick<MembershipSource, 'membersOf'>
  readonly #cursors: Pick<Cursors, 'of'>
  readonly #log: Pick<MessageLog, 'seqsAt'>
  readonly #kept: LRUCache<GroupId, readonly MemberCursor[]>
  readonly #reading = new Map<GroupId, Promise<readonly MemberCursor[]>>()

  constructor(
    {
      membership,
      cursors,
      log,
    }: {
      membership: Pick<MembershipSource, 'membersOf'>
      cursors: Pick<Cursors, 'of'>
      log: Pick<MessageLog, 'seqsAt'>
    },
    keptMs = KEPT_MS,
  ) {
    this.#log = log
    this.#membership = membership
    this.#cursors = cursors
    this.#kept = new LRUCache({ maxSize: MOST_KEPT, sizeCalculation: ({ length }) => length, ttl: keptMs })
  }

  /** @throws AppError GROUP_NOT_FOUND */
  async of(group: GroupId): Promise<readonly MemberCursor[]> {
    const kept = this.#kept.get(group) ?? this.#reading.get(group)
    if (kept) return kept
    const { members } = await this.#membership.membersOf(group)
    if (members.length <= COUNTED_MEMBERS) return this.#read(group, members)
    // Whoever asks meanwhile shares it: a page after page of a large group is one read.
    const reading = this.#kept.get(group) ?? this.#reading.get(group) ?? this.#keep(group, members)
    return reading
  }

  #keep(group: GroupId, members: Members): Promise<readonly MemberCursor[]> {
    const reading = this.#read(group, members)
      .then((read) => {
        this.#kept.set(group, read)
        return read
      })
      .finally(() => this.#reading.delete(group))
    this.#reading.set(group, reading)
    return reading
  }

  async #read(group: GroupId, members: Members): Promise<readonly MemberCursor[]> {
    const all: MemberCursor[] = []
    const joined = await this.#joinedSeqs(group, members)
    for (let at = 0; at < members.length; at += CURSORS_PER_READ) {
      const some = members.slice(at, at + CURSORS_PER_READ)
      const users = some.map(({ userId }) => userId)
      const found = await this.#cursors.of(groupConversation(group), users)
      for (const { userId: user, joinedSeq = joined.get(user) ?? 0 } of some) {
        all.push({ user, joinedSeq, ...sinceJoining(found.get(user) ?? AT_START, joinedSeq) })
      }
    }
    return all.sort((one, other) => Number(one.user) - Number(other.user))
  }

  /** Of those for whom only the time is known: who came together shares one look at the log. */
  async #joinedSeqs(group: GroupId, members: Members): Promise<Map<UserId, number>> {
    const unknown = members.flatMap(({ userId, joinedSeq, joinedAt }) =>
      joinedSeq === undefined && joinedAt !== undefined ? [{ userId, joinedAt }] : [],
    )
    const times = [...new Set(unknown.map(({ joinedAt }) => joinedAt))]
    const seqAt = await seqsOfTimes(this.#log, groupConversation(group), times)
    return new Map(unknown.map(({ userId, joinedAt }) => [userId, seqAt(joinedAt)]))
  }
}
