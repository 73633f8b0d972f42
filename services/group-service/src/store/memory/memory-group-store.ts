import type { GroupId, MembershipInterval, UserId } from '@qunxin/contracts'
import type { Group, Member, Membership } from '../../domain/group.ts'
import { groupAfter } from '../apply-delta.ts'
import { Batches, type Outcome } from '../batches.ts'
import { outboxFacts } from '../fact-data.ts'
import type {
  ChangeOutcome,
  CreateOutcome,
  CreateRequest,
  Decide,
  Fact,
  GroupDelta,
  GroupStore,
  GroupView,
  Joined,
} from '../group-store.ts'
import type { MemoryOutbox } from './memory-outbox.ts'

interface Row {
  group: Group
  members: Map<UserId, Member>
  /** The membersVersion each member came with. */
  joinedVersions: Map<UserId, number>
  past: Map<UserId, PastInterval[]>
  revision: number
  deleted: boolean
}

interface PastInterval extends MembershipInterval {
  afterVersion: number | undefined
  toVersion: number
}

/** For tests of the domain: one process, nothing kept. */
export class MemoryGroupStore implements GroupStore {
  readonly #rows = new Map<GroupId, Row>()
  readonly #requests = new Map<string, { groupId: GroupId; until: number }>()
  readonly #changes = new Batches<Decide, ChangeOutcome>((groupId, decides) => this.#decideAll(groupId, decides), {
    most: 1,
    longestWaitMs: 60_000,
    pauseMs: 0,
  })
  readonly #outbox: MemoryOutbox

  constructor(outbox: MemoryOutbox) {
    this.#outbox = outbox
  }

  async create(
    group: Group,
    members: readonly Member[],
    options: { facts: readonly Fact[]; request?: CreateRequest | undefined },
  ): Promise<CreateOutcome> {
    const { facts, request } = options
    const key = request && `${request.creator}:${request.taskId}`
    const known = key === undefined ? undefined : this.#requests.get(key)
    if (known && known.until > group.createDate) return { kind: 'repeated', groupId: known.groupId }
    if (this.#rows.has(group.groupId)) return { kind: 'taken' }
    if (request && key) this.#requests.set(key, { groupId: group.groupId, until: group.createDate + request.validMs })
    this.#rows.set(group.groupId, {
      group: { ...group },
      members: new Map(members.map((member) => [member.userId, { ...member }])),
      joinedVersions: new Map(members.map(({ userId }) => [userId, group.membersVersion])),
      past: new Map(),
      revision: 1,
      deleted: false,
    })
    this.#outbox.add(outboxFacts(group.groupId, { at: group.createDate, revision: 1, facts }))
    return { kind: 'created' }
  }

  async change<D extends { delta?: GroupDelta }>(groupId: GroupId, decide: Decide<D>): Promise<ChangeOutcome<D>> {
    // What comes out of a batch for an item is what its `decide` returned.
    return (await this.#changes.run(groupId, decide)) as ChangeOutcome<D>
  }

  async findMember(groupId: GroupId, user: UserId): Promise<{ group: Group; member?: Member } | undefined> {
    const row = this.#living(groupId)
    const member = row?.members.get(user)
    return row && { group: { ...row.group }, ...(member && { member: { ...member } }) }
  }

  async findMembers(groupId: GroupId): Promise<{ group: Group; members: Member[] } | undefined> {
    const row = this.#living(groupId)
    return row && { group: { ...row.group }, members: [...row.members.values()].map((member) => ({ ...member })) }
  }

  async findMembership(groupId: GroupId, user: UserId): Promise<Membership | undefined> {
    const row = this.#living(groupId)
    const member = row?.members.get(user)
    return row && member && { group: { ...row.group }, member: { ...member }, past: shownPast(row, user) }
  }

  async membershipsOf(user: UserId): Promise<Membership[]> {
    const memberships: Membership[] = []
    for (const { group } of await this.groupsOf(user)) {
      const found = await this.findMembership(group.groupId, user)
      if (found) memberships.push(group.history === 'joined' ? found : { ...found, past: [] })
    }
    return memberships
  }

  async noteSeq(
    groupId: GroupId,
    change: { version: number; lastSeq: number; added: readonly UserId[]; removed: readonly UserId[] },
  ): Promise<void> {
    const row = this.#living(groupId)
    const { version, lastSeq } = change
    for (const user of change.added) {
      const member = row?.members.get(user)
      if (member && row?.joinedVersions.get(user) === version) member.joinedSeq ??= lastSeq
      for (const one of row?.past.get(user) ?? []) if (one.afterVersion === version) one.afterSeq ??= lastSeq
    }
    for (const user of change.removed)
      for (const one of row?.past.get(user) ?? []) if (one.toVersion === version) one.toSeq ??= lastSeq
  }

  async groupsOf(user: UserId): Promise<{ group: Group; joinedAt: number }[]> {
    const found: { group: Group; joinedAt: number }[] = []
    for (const { group, members, deleted } of this.#rows.values()) {
      const member = members.get(user)
      if (member && !deleted) found.push({ group: { ...group }, joinedAt: member.joinedAt })
    }
    return found.sort((a, b) => a.joinedAt - b.joinedAt || (a.group.groupId < b.group.groupId ? -1 : 1))
  }

  async joinedBy(users: readonly UserId[], limit: number): Promise<Map<UserId, Joined[]>> {
    const joined = new Map<UserId, Joined[]>()
    let room = limit
    for (const user of users) {
      const mine = (await this.groupsOf(user)).map(({ group: { groupId }, joinedAt }) => {
        const joinedSeq = this.#living(groupId)?.members.get(user)?.joinedSeq
        return { groupId, joinedAt, ...(joinedSeq !== undefined && { joinedSeq }) }
      })
      room -= mine.length
      if (room >= 0) joined.set(user, mine)
    }
    return joined
  }

  async memberIdsOf(groupIds: readonly GroupId[]): Promise<Map<GroupId, UserId[]>> {
    return new Map(groupIds.map((id) => [id, [...(this.#living(id)?.members.keys() ?? [])]]))
  }

  async versionsOf(groupIds: readonly GroupId[]): Promise<number[]> {
    return groupIds.map((id) => this.#living(id)?.group.membersVersion ?? 0)
  }

  #decideAll(groupId: GroupId, decides: readonly Decide[]): Promise<Outcome<ChangeOutcome>[]> {
    const one = async (decide: Decide): Promise<Outcome<ChangeOutcome>> => {
      const row = this.#rows.get(groupId)
      if (!row) return { value: { kind: 'gone' } }
      if (row.deleted) return { value: { kind: 'gone', version: row.group.membersVersion } }
      const decision = await decide(viewOf(row))
      if (decision.delta) this.#apply(row, decision.delta)
      return { value: { kind: 'done', decision, version: row.group.membersVersion } }
    }
    return Promise.all(decides.map(one))
  }

  #remove(row: Row, user: UserId, { at, version }: { at: number; version: number }): void {
    const member = row.members.get(user)
    if (!member) return
    row.members.delete(user)
    const { joinedAt: afterTime, joinedSeq: afterSeq } = member
    const interval = { afterTime, afterSeq, afterVersion: row.joinedVersions.get(user), toTime: at, toVersion: version }
    row.past.set(user, [...(row.past.get(user) ?? []), interval].slice(-100))
  }

  #living(groupId: GroupId): Row | undefined {
    const row = this.#rows.get(groupId)
    return row?.deleted ? undefined : row
  }

  #apply(row: Row, delta: GroupDelta): void {
    row.group = groupAfter(row.group, delta)
    row.revision += 1
    row.deleted = delta.deleted ?? false
    const version = row.group.membersVersion
    for (const member of delta.added ?? []) {
      row.members.set(member.userId, { ...member })
      row.joinedVersions.set(member.userId, version)
    }
    for (const userId of delta.removed ?? []) this.#remove(row, userId, { at: delta.at, version })
    for (const { userId, ...change } of [...(delta.roles ?? []), ...(delta.showName ? [delta.showName] : [])]) {
      const member = row.members.get(userId)
      if (member) Object.assign(member, change)
    }
    this.#outbox.add(outboxFacts(row.group.groupId, { at: delta.at, revision: row.revision, facts: delta.facts }))
  }
}

function shownPast(row: Row, user: UserId): MembershipInterval[] {
  return (row.past.get(user) ?? []).map(({ afterVersion: _, toVersion: __, ...interval }) => ({ ...interval }))
}

function viewOf(row: Row): GroupView {
  return {
    group: { ...row.group },
    members: async (users) => {
      const found = users.map((id) => row.members.get(id)).filter((member) => member !== undefined)
      return new Map(found.map((member) => [member.userId, { ...member }]))
    },
    allMemberIds: async () => [...row.members.keys()],
  }
}
