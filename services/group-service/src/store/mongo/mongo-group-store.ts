import type { GroupId, UserId } from '@qunxin/contracts'
import type { Group, Member } from '../../domain/group.ts'
import { Batches } from '../batches.ts'
import type {
  ChangeOutcome,
  CreateOutcome,
  CreateRequest,
  Decide,
  Fact,
  GroupDelta,
  GroupStore,
} from '../group-store.ts'
import type { Database } from './database.ts'
import { groupOf, memberOf } from './group-docs.ts'
import { decideAll, writeNewGroup } from './mongo-group-changes.ts'
import { slices } from './slices.ts'
import { inTransaction } from './transaction.ts'

export interface MongoGroupStoreOptions {
  /** The longest a change tries, and the longest it waits for its turn. */
  limitMs: number
  /** Called after each commit that stored facts. */
  onCommit?: (what: { deleted: boolean }) => void
}

const CHANGES_A_TRANSACTION = 20
const PAUSE_MS = 5
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

  async groupsOf(user: UserId): Promise<{ group: Group; joinedAt: number }[]> {
    const { groups, members } = this.#db
    const memberships = await members
      .find({ user }, { projection: { _id: 0, group: 1, joinedAt: 1 } })
      .sort({ joinedAt: 1 })
      .toArray()
    const found = new Map<GroupId, Group>()
    for (const slice of slices(memberships.map(({ group }) => group))) {
      for await (const doc of groups.find({ _id: { $in: slice }, ...living })) found.set(doc._id, groupOf(doc))
    }
    memberships.sort((a, b) => a.joinedAt - b.joinedAt || (a.group < b.group ? -1 : 1))
    return memberships.flatMap(({ group: groupId, joinedAt }) => {
      const group = found.get(groupId)
      return group ? [{ group, joinedAt }] : []
    })
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
