import type { GroupId, UserId } from '@qunxin/contracts'
import type { Group, Member } from '../../domain/group.ts'
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
} from '../group-store.ts'
import type { MemoryOutbox } from './memory-outbox.ts'

interface Row {
  group: Group
  members: Map<UserId, Member>
  revision: number
  deleted: boolean
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

  async groupsOf(user: UserId): Promise<{ group: Group; joinedAt: number }[]> {
    const found: { group: Group; joinedAt: number }[] = []
    for (const { group, members, deleted } of this.#rows.values()) {
      const member = members.get(user)
      if (member && !deleted) found.push({ group: { ...group }, joinedAt: member.joinedAt })
    }
    return found.sort((a, b) => a.joinedAt - b.joinedAt || (a.group.groupId < b.group.groupId ? -1 : 1))
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

  #living(groupId: GroupId): Row | undefined {
    const row = this.#rows.get(groupId)
    return row?.deleted ? undefined : row
  }

  #apply(row: Row, delta: GroupDelta): void {
    row.group = groupAfter(row.group, delta)
    row.revision += 1
    row.deleted = delta.deleted ?? false
    for (const member of delta.added ?? []) row.members.set(member.userId, { ...member })
    for (const userId of delta.removed ?? []) row.members.delete(userId)
    for (const { userId, ...change } of [...(delta.roles ?? []), ...(delta.showName ? [delta.showName] : [])]) {
      const member = row.members.get(userId)
      if (member) Object.assign(member, change)
    }
    this.#outbox.add(outboxFacts(row.group.groupId, { at: delta.at, revision: row.revision, facts: delta.facts }))
  }
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
