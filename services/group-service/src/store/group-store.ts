import type { GroupFact, GroupId, Role, UserId } from '@qunxin/contracts'
import type { Group, GroupFields, Member, Membership } from '../domain/group.ts'

/** A fact for `im.event.group.<what>`; it is stored with the change it tells of, or not at all. */
export interface Fact {
  what: GroupFact
  byUserId: UserId
  userIds?: readonly UserId[]
}

/** What one change does to a group, all or nothing. */
export interface GroupDelta {
  /** Milliseconds since 1970: the time of the facts, and the group's new updateDate unless only names change. */
  at: number
  fields?: Partial<GroupFields>
  /** The new owner; the roles of both must be in `roles`. */
  creator?: UserId
  added?: readonly Member[]
  removed?: readonly UserId[]
  roles?: readonly { userId: UserId; role: Role }[]
  showName?: { userId: UserId; showName: string }
  deleted?: true
  facts: readonly Fact[]
}

/** A group as of one moment, while a change is being decided. */
export interface GroupView {
  readonly group: Group
  /** Those of `users` who are members. */
  members(users: readonly UserId[]): Promise<Map<UserId, Member>>
  allMemberIds(): Promise<UserId[]>
}

/** Something that may become a change. Called again when what it saw no longer holds, so it only reads. */
export type Decide<D extends { delta?: GroupDelta } = { delta?: GroupDelta }> = (view: GroupView) => Promise<D>

export type ChangeOutcome<D = { delta?: GroupDelta }> =
  | { kind: 'done'; decision: D; version: number }
  /** `version` is the last one of a deleted group; a group that never existed has none. */
  | { kind: 'gone'; version?: number }

/** The key under which a repeated createGroup finds the group of the first. */
export interface CreateRequest {
  creator: UserId
  taskId: string
  /** How long the first answer counts, in milliseconds. */
  validMs: number
}

export type CreateOutcome = { kind: 'created' } | { kind: 'repeated'; groupId: GroupId } | { kind: 'taken' }

/**
 * Groups and their members. A deleted group appears in no answer but as `gone`.
 * Every read shows only what a majority has; what a call was answered for is seen by every later read.
 *
 * @throws AppError UNAVAILABLE or TIMEOUT from any method: the outcome of a change is then unknown
 */
export interface Joined {
  groupId: GroupId
  joinedAt: number
  joinedSeq?: number | undefined
}

export interface GroupStore {
  /** Stores a new group with its first members and facts. */
  create(
    group: Group,
    members: readonly Member[],
    options: { facts: readonly Fact[]; request?: CreateRequest | undefined },
  ): Promise<CreateOutcome>

  /**
   * Decides and applies one change. Changes of a group are one after the other: what `decide` saw still holds when its delta
   * is applied, otherwise it is called again. Without a delta nothing is written. What `decide` throws comes out.
   */
  change<D extends { delta?: GroupDelta }>(groupId: GroupId, decide: Decide<D>): Promise<ChangeOutcome<D>>

  /** The group, and the user's membership if there is one; undefined when there is no such group. */
  findMember(groupId: GroupId, user: UserId): Promise<{ group: Group; member?: Member } | undefined>

  /** The group and all its members as of one moment, in no particular order. */
  findMembers(groupId: GroupId): Promise<{ group: Group; members: Member[] } | undefined>

  /** The user's membership with the times before it, as of one moment; undefined when there is none. */
  findMembership(groupId: GroupId, user: UserId): Promise<Membership | undefined>

  /** All memberships of a user as of one moment, oldest first; with the times before them where the history is `joined`. */
  membershipsOf(user: UserId): Promise<Membership[]>

  /**
   * The newest seq of the group when a change came into force, for those who joined or left by it and for nobody else,
   * whatever they did since. Never throws: without it the time of the change stands for it.
   */
  noteSeq(
    groupId: GroupId,
    change: { version: number; lastSeq: number; added: readonly UserId[]; removed: readonly UserId[] },
  ): Promise<void>

  /** The user's groups, oldest membership first. */
  groupsOf(user: UserId): Promise<{ group: Group; joinedAt: number }[]>

  /**
   * When each of these users joined which groups, of some that were deleted just now too. Of more than `limit` memberships in all
   * some users are left out.
   */
  joinedBy(users: readonly UserId[], limit: number): Promise<Map<UserId, Joined[]>>

  /** The user ids of all members of each group, in no particular order. */
  memberIdsOf(groupIds: readonly GroupId[]): Promise<Map<GroupId, UserId[]>>

  /** The membership version of each group in the order asked; 0 for one that is gone. */
  versionsOf(groupIds: readonly GroupId[]): Promise<number[]>
}
