import type { GroupId, MembershipInterval, UserId } from '@qunxin/contracts'
import { withinTime } from '@qunxin/runtime'
import type { ClientSession } from 'mongodb'
import type { Group, Member, Membership } from '../../domain/group.ts'
import { Batches } from '../batches.ts'
import type {
  ChangeOutcome,
  CreateOutcome,
  CreateRequest,
  Decide,
  Fact,
  GroupDelta,
  GroupStore,
  Joined,
} from '../group-store.ts'
import type { Database } from './database.ts'
import { groupOf, memberOf } from './group-docs.ts'
import { shownInterval, writeSeq } from './intervals.ts'
import { decideAll, writeNewGroup } from './mongo-group-changes.ts'
import { slices } from './slices.ts'
import { inTransaction } from './transaction.ts'

export interface MongoGroupStoreOptions {
  /** The longest a change tries, and the longest it waits for its turn. */
  limitMs: number
  /** Called after each commit that stored facts. */
  onCommit?: (what: { deleted: boolean }) => void
  /** Called when the seq of a change could not be stored. */
  onSeqLost?: (groupId: GroupId, error: unknown) => void
}

const CHANGES_A_TRANSACTION = 20
const PAUSE_MS = 5
/** A call is not held up for what times can stand for. */
const NOTE_LIMIT_MS = 1_000
const living = { deleted: { $exists: false } }
const member = { _id: 0, group: 0 }

export class MongoGroupStore implements GroupStore {
  readonly #db: Database
  readonly #options: MongoGroupStoreOptions
  /** Changes of one group in one process share a transaction instead of meeting as write conflicts and trying again. */
  readonly #changes: Batches<Decide, ChangeOutcome>

  constructor(db: Database, options: MongoGroupStoreOptions) {
    this.#db = db
    this.#options = options
    const { limitMs } = options
    this.#changes = new Batches(
      (groupId, decides) =>
        inTransaction(db.client, limitMs, (session) => decideAll(db, { groupId, decides }, session)),
      { most: CHANGES_A_TRANSACTION, longestWaitMs: limitMs, pauseMs: PAUSE_MS },
    )
  }

  async create(
    group: Group,
    members: readonly Member[],
    options: { facts: readonly Fact[]; request?: CreateRequest | undefined },
  ): Promise<CreateOutcome> {
    const given = { group, members, facts: options.facts, request: options.request }
    const outcome = await inTransaction(this.#db.client, this.#options.limitMs, (session) =>
      writeNewGroup(this.#db, given, session),
    )
    if (outcome.kind === 'created') this.#options.onCommit?.({ deleted: false })
    return outcome
  }

  async change<D extends { delta?: GroupDelta }>(groupId: GroupId, decide: Decide<D>): Promise<ChangeOutcome<D>> {
    const outcome = await this.#changes.run(groupId, decide)
    if (outcome.kind === 'gone') return outcome
    const { delta } = outcome.decision
    if (delta) this.#options.onCommit?.({ deleted: delta.deleted ?? false })
    // What comes out of a batch for an item is what its `decide` returned.
    return outcome as ChangeOutcome<D>
  }

  async findMember(groupId: GroupId, user: UserId): Promise<{ group: Group; member?: Member } | undefined> {
    const { groups, members } = this.#db
    const [group, found] = await Promise.all([
      groups.findOne({ _id: groupId, ...living }),
      members.findOne({ group: groupId, user }, { projection: member }),
    ])
    return group ? { group: groupOf(group), ...(found && { member: memberOf(found) }) } : undefined
  }

  findMembers(groupId: GroupId): Promise<{ group: Group; members: Member[] } | undefined> {
    const { client, groups, members } = this.#db
    return client.withSession({ snapshot: true }, async (session) => {
      const group = await groups.findOne({ _id: groupId, ...living }, { session })
      if (!group) return undefined
      const found = await members.find({ group: groupId }, { projection: member, session }).toArray()
      return { group: groupOf(group), members: found.map(memberOf) }
    })
  }

  findMembership(groupId: GroupId, user: UserId): Promise<Membership | undefined> {
    const { client, groups, members, intervals } = this.#db
    return client.withSession({ snapshot: true }, async (session) => {
      const group = await groups.findOne({ _id: groupId, ...living }, { session })
      const found = group && (await members.findOne({ group: groupId, user }, { projection: member, session }))
      if (!found) return undefined
      const before = await intervals.findOne({ group: groupId, user }, { session })
      return { group: groupOf(group), member: memberOf(found), past: (before?.past ?? []).map(shownInterval) }
    })
  }

  membershipsOf(user: UserId): Promise<Membership[]> {
    const { client, members, intervals } = this.#db
    return client.withSession({ snapshot: true }, async (session) => {
      const mine = await members
        .find({ user }, { projection: { _id: 0 }, session })
        .sort({ joinedAt: 1 })
        .toArray()
      const found = new Map<GroupId, { group: Group; past: MembershipInterval[] }>()
      for (const slice of slices(mine.map(({ group }) => group))) {
        const living = await this.#livingGroups(slice, session)
        for (const group of living) found.set(group.groupId, { group, past: [] })
        const joined = living.filter(({ history }) => history === 'joined').map(({ groupId }) => groupId)
        if (joined.length === 0) continue
        for (const { group, past } of await intervals.find({ group: { $in: joined }, user }, { session }).toArray())
          found.get(group)?.past.push(...past.map(shownInterval))
      }
      return mine.sort(byTimeOfJoining).flatMap((doc) => {
        const group = found.get(doc.group)
        return group ? [{ ...group, member: memberOf(doc) }] : []
      })
    })
  }

  async noteSeq(
    groupId: GroupId,
    change: { version: number; lastSeq: number; added: readonly UserId[]; removed: readonly UserId[] },
  ): Promise<void> {
    try {
      await withinTime(NOTE_LIMIT_MS, writeSeq(this.#db, groupId, change))
    } catch (error) {
      this.#options.onSeqLost?.(groupId, error)
    }
  }

  async groupsOf(user: UserId): Promise<{ group: Group; joinedAt: number }[]> {
    const memberships = await this.#db.members
      .find({ user }, { projection: { _id: 0, group: 1, joinedAt: 1 } })
      .sort({ joinedAt: 1 })
      .toArray()
    const found = new Map<GroupId, Group>()
    for (const slice of slices(memberships.map(({ group }) => group)))
      for (const group of await this.#livingGroups(slice)) found.set(group.groupId, group)
    return memberships.sort(byTimeOfJoining).flatMap(({ group: groupId, joinedAt }) => {
      const group = found.get(groupId)
      return group ? [{ group, joinedAt }] : []
    })
  }

  async joinedBy(users: readonly UserId[], limit: number): Promise<Map<UserId, Joined[]>> {
    const rows = await this.#db.members
      .find({ user: { $in: [...users] } }, { projection: { _id: 0, user: 1, group: 1, joinedAt: 1, joinedSeq: 1 } })
      .sort({ user: 1 })
      .limit(limit + 1)
      .toArray()
    // They come user by user: of the one the limit fell on, and of those behind, not all are there.
    const cut = rows.length > limit ? rows.at(-1)?.user : undefined
    const joined = new Map(
      users.filter((user) => cut === undefined || user < cut).map((user): [UserId, Joined[]] => [user, []]),
    )
    for (const { user, group, joinedAt, joinedSeq } of rows)
      joined.get(user)?.push({ groupId: group, joinedAt, ...(joinedSeq !== undefined && { joinedSeq }) })
    return joined
  }

  async #livingGroups(ids: readonly GroupId[], session?: ClientSession): Promise<Group[]> {
    const found = this.#db.groups.find({ _id: { $in: [...ids] }, ...living }, { ...(session && { session }) })
    return (await found.toArray()).map(groupOf)
  }

  async memberIdsOf(groupIds: readonly GroupId[]): Promise<Map<GroupId, UserId[]>> {
    const found = new Map(groupIds.map((id): [GroupId, UserId[]] => [id, []]))
    const alive = await this.versionsOf(groupIds)
    const wanted = groupIds.filter((_, index) => alive[index] !== 0)
    for (const slice of slices(wanted)) {
      // Both fields stand in the index: no document is read.
      const cursor = this.#db.members.find({ group: { $in: slice } }, { projection: { _id: 0, group: 1, user: 1 } })
      for (const { group, user } of await cursor.toArray()) found.get(group)?.push(user)
    }
    return found
  }

  async versionsOf(groupIds: readonly GroupId[]): Promise<number[]> {
    const versions = new Map<GroupId, number>()
    const projection = { membersVersion: 1 }
    const found = this.#db.groups.find({ _id: { $in: [...groupIds] }, ...living }, { projection })
    for (const { _id, membersVersion } of await found.toArray()) versions.set(_id, membersVersion)
    return groupIds.map((id) => versions.get(id) ?? 0)
  }
}

function byTimeOfJoining(one: { group: GroupId; joinedAt: number }, other: typeof one): number {
  return one.joinedAt - other.joinedAt || (one.group < other.group ? -1 : 1)
}
