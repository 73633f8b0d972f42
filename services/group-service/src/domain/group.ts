import type { GroupId, MembershipInterval, Role, UserId } from '@qunxin/contracts'

/** What clients read and change of a group. */
export interface GroupFields {
  groupName: string
  projectName: string
  /** "1" project group, "2" shareholder group. */
  type: string
  introduction: string
  notice: string
  groupHeadImage: string
  /** Who may come in by themselves; unset it follows the current type. */
  join?: 'open' | 'closed' | undefined
  /** Who may add others; unset means members. */
  addBy?: 'members' | 'admins' | undefined
  /** How far apart a plain member's messages must be at least; unset or 0 means it is off. */
  slowModeMs?: number | undefined
  /** What a member may read; unset means everything. */
  history?: 'all' | 'joined' | undefined
}

export interface Group extends GroupFields {
  groupId: GroupId
  /** The owner now, not who made it. */
  creator: UserId
  /** Milliseconds since 1970. */
  createDate: number
  /** Milliseconds since 1970; never goes back, so that facts of one group are in order by their time. */
  updateDate: number
  memberCount: number
  /** Raised by one with each change of members, roles or slow mode; 1 when new. */
  membersVersion: number
}

export interface Member {
  userId: UserId
  role: Role
  /** The name shown in this group; empty when none is set. */
  showName: string
  joinedAt: number
  /** The newest seq of the group when they came; unset where the partition's owner could not tell it. */
  joinedSeq?: number
}

/** A member, and the times before this one in which they were, oldest first. */
export interface Membership {
  group: Group
  member: Member
  past: readonly MembershipInterval[]
}

/** Members of a shareholder group are added by others, unless its setting says otherwise. */
export function joinPolicyOf(group: Group): 'open' | 'closed' {
  return group.join ?? (group.type === '2' ? 'closed' : 'open')
}
