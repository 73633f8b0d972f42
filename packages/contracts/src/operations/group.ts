import { z } from 'zod'
import { groupId, orEmpty, taskId, upTo, userId } from '../ids.ts'
import { groupInfo, groupModel, groupUser, groupUserModel, membershipInterval, role } from '../models.ts'
import { operation } from '../operation.ts'

export const MEMBERS_PER_REQUEST = 500
const nothing = z.object({})
const memberIds = z.array(userId).max(MEMBERS_PER_REQUEST)
/** Empty or absent means unchanged (seed A, call 7). */
const changed = (longest: number) => orEmpty(z.string().max(longest))
const groupType = z.union([z.enum(['1', '2']), z.literal([1, 2]).transform(String)])

/** The longest pause a group may ask of its members between two messages. */
export const SLOW_MODE_MAX_MS = 60 * 60 * 1000

/** Extensions of createGroup, updateGroup and updateGroupInfo. */
const settings = {
  join: orEmpty(z.enum(['open', 'closed'])),
  addBy: orEmpty(z.enum(['members', 'admins'])),
  /** How far apart a plain member's messages must be at least; 0 turns it off. */
  slowModeMs: orEmpty(upTo(SLOW_MODE_MAX_MS)),
  /** What a member may read: everything, or only what was sent while a member. */
  history: orEmpty(z.enum(['all', 'joined'])),
}
const texts = {
  projectName: changed(64),
  type: orEmpty(groupType),
  introduction: changed(500),
  notice: changed(1000),
  groupHeadImage: changed(512),
}

/** The newest seq of the group when the member came; left out when the partition's owner could not tell it. */
const joinedSeq = z.number()
/** One user's being in one group. */
const membership = {
  /** Milliseconds. */
  joinedAt: z.number(),
  joinedSeq: joinedSeq.optional(),
  /** Of groups with `history: joined`: what the member may read, oldest first, the last one open. Left out: everything. */
  visible: z.array(membershipInterval).optional(),
}

/** Seed A, call 1. */
export const joinGroup = operation('group.joinGroup', {
  input: z.object({ groupId }),
  output: nothing,
  errors: ['GROUP_NOT_FOUND', 'NOT_ALLOWED', 'GROUP_FULL'],
})

/** Seed A, call 2: all groups of the caller, oldest membership first. */
export const groupList = operation('group.groupList', {
  input: nothing,
  output: z.object({ groupList: z.array(groupInfo) }),
  errors: [],
})

/** Seed A, call 3: owner first, then admins, then by join time. */
export const getGroupDetail = operation('group.getGroupDetail', {
  input: z.object({ groupId }),
  output: z.object({ groupInfo, userList: z.array(groupUser) }),
  errors: ['GROUP_NOT_FOUND', 'NOT_A_MEMBER'],
})

/** Seed A, call 4; `groupUserId` says whose name an admin sets. */
export const userSetGroup = operation('group.userSetGroup', {
  input: z.object({ groupId, showName: z.string().max(32).default(''), groupUserId: orEmpty(userId) }),
  output: nothing,
  errors: ['GROUP_NOT_FOUND', 'NOT_A_MEMBER', 'NOT_ALLOWED', 'MEMBER_NOT_FOUND'],
})

/** Seed A, call 5: the owner and admins may not leave. */
export const exitGroup = operation('group.exitGroup', {
  input: z.object({ groupId }),
  output: z.object({ groupName: z.string() }),
  errors: ['GROUP_NOT_FOUND', 'NOT_A_MEMBER', 'ADMIN_CANNOT_LEAVE'],
})

/** Seed A, call 6. `name` is show_name, else nickName, else the id. */
export const deleteUser = operation('group.deleteUser', {
  input: z.object({ groupId, groupUserId: userId }),
  output: z.object({ name: z.string() }),
  errors: ['GROUP_NOT_FOUND', 'NOT_A_MEMBER', 'NOT_ALLOWED', 'MEMBER_NOT_FOUND', 'CANNOT_KICK_ADMIN'],
})

/** Seed A, call 7. */
export const updateGroup = operation('group.updateGroup', {
  input: z.object({ groupId, groupName: changed(64), ...texts, ...settings }),
  output: nothing,
  errors: ['GROUP_NOT_FOUND', 'NOT_A_MEMBER', 'NOT_ALLOWED'],
})

/** Seed B. A non-empty taskId makes it idempotent per creator for 24 h. */
export const createGroup = operation('group.createGroup', {
  input: z.object({
    groupName: z.string().min(1).max(64),
    memberIds: memberIds.default([]),
    taskId: taskId.optional(),
    ...texts,
    ...settings,
  }),
  output: z.object({ groupId: z.string() }),
  errors: ['GROUP_FULL'],
})

/** Seed B. */
export const queryGroupList = operation('group.queryGroupList', {
  input: nothing,
  output: z.array(groupModel),
  errors: [],
})

/** Seed B: any member, or only admins when the group's `addBy` says so; all fit or nobody is added. */
export const addGroupMembers = operation('group.addGroupMembers', {
  input: z.object({ groupId, memberIds }),
  output: nothing,
  errors: ['GROUP_NOT_FOUND', 'NOT_A_MEMBER', 'NOT_ALLOWED', 'GROUP_FULL'],
})

/** Seed B: the caller's own id and ids that are no members are ignored; an admin in the list refuses the whole. */
export const kickGroupMembers = operation('group.kickGroupMembers', {
  input: z.object({ groupId, memberIds }),
  output: nothing,
  errors: ['GROUP_NOT_FOUND', 'NOT_A_MEMBER', 'NOT_ALLOWED', 'CANNOT_KICK_ADMIN'],
})

/** Seed B. */
export const queryGroupInfo = operation('group.queryGroupInfo', {
  input: z.object({ groupId }),
  output: groupModel,
  errors: ['GROUP_NOT_FOUND', 'NOT_A_MEMBER'],
})

/** Seed B. `creator` transfers ownership: owner only, to a member; the old owner becomes a plain member. */
export const updateGroupInfo = operation('group.updateGroupInfo', {
  input: z.object({ groupId, groupName: changed(64), creator: orEmpty(userId), ...texts, ...settings }),
  output: nothing,
  errors: ['GROUP_NOT_FOUND', 'NOT_A_MEMBER', 'NOT_ALLOWED', 'MEMBER_NOT_FOUND'],
})

/** Extension: the owner makes a member an admin, or no longer one. */
export const setAdmin = operation('group.setAdmin', {
  input: z.object({ groupId, memberId: userId, admin: z.boolean() }),
  output: nothing,
  errors: ['GROUP_NOT_FOUND', 'NOT_A_MEMBER', 'NOT_ALLOWED', 'MEMBER_NOT_FOUND'],
})

/** Seed B: the owner only. History stays stored but can no longer be reached. */
export const deleteGroup = operation('group.deleteGroup', {
  input: z.object({ groupId }),
  output: nothing,
  errors: ['GROUP_NOT_FOUND', 'NOT_A_MEMBER', 'NOT_ALLOWED'],
})

/** For services: the groups of any user (seed B, GroupUserModel). */
export const groupsOfUser = operation('group.groupsOfUser', {
  input: z.object({ userId }),
  output: groupUserModel,
  errors: [],
})

/** For services: the members of a group, its slow mode and history, and the version of them all. */
export const membersOf = operation('group.membersOf', {
  input: z.object({ groupId }),
  output: z.object({
    members: z.array(
      z.object({
        userId: z.string(),
        role,
        joinedSeq: joinedSeq.optional(),
        /** Milliseconds; stands for joinedSeq where that is left out. */
        joinedAt: z.number().optional(),
      }),
    ),
    version: z.number(),
    /** Left out when off. */
    slowModeMs: z.number().optional(),
    /** Members read only what was sent while they were; left out when they read everything. */
    history: z.literal('joined').optional(),
  }),
  errors: ['GROUP_NOT_FOUND'],
})

/** For message-service: is this user a member now? Reads ask it once per call and never use a cache. */
export const memberOf = operation('group.memberOf', {
  input: z.object({ groupId, userId }),
  output: z.object({ ...membership, role }),
  errors: ['GROUP_NOT_FOUND', 'NOT_A_MEMBER'],
})

/** For message-service: a user's groups with the time of joining, in milliseconds. */
export const membershipsOf = operation('group.membershipsOf', {
  input: z.object({ userId }),
  output: z.object({ memberships: z.array(z.object({ groupId: z.string(), ...membership })) }),
  errors: [],
})

/**
 * For message-service, which asks about everybody who connects at the same time: each user's groups with when they joined, in the
 * order asked; null for those whose groups are too many for one answer, and are to be asked for alone.
 */
export const groupsOfUsers = operation('group.groupsOfUsers', {
  input: z.object({ userIds: z.array(userId).max(500) }),
  output: z.object({
    users: z.array(
      z
        .array(z.object({ groupId: z.string(), joinedAt: membership.joinedAt, joinedSeq: membership.joinedSeq }))
        .nullable(),
    ),
  }),
  errors: [],
})

/** For partition owners: the version of members, roles, slow mode and history of each group asked for, in the order asked; 0 for a group that is gone. */
export const versionsOf = operation('group.versionsOf', {
  input: z.object({ groupIds: z.array(groupId).max(1000) }),
  output: z.object({ versions: z.array(z.number()) }),
  errors: [],
})
