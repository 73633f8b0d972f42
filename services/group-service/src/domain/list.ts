import type { GroupId, GroupInfo, GroupModel, UserId } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import { readable } from './access.ts'
import type { Group } from './group.ts'
import type { Ports } from './ports.ts'

/** Seed A, call 2: all groups of the caller, oldest membership first. */
export async function groupList({ store }: Ports, user: UserId): Promise<{ groupList: GroupInfo[] }> {
  const memberships = await store.groupsOf(user)
  return { groupList: memberships.map(({ group }) => infoOf(group)) }
}

/** Seed B, queryGroupList: the same groups in the same order. */
export async function queryGroupList({ store }: Ports, user: UserId): Promise<GroupModel[]> {
  const memberships = await store.groupsOf(user)
  const members = await store.memberIdsOf(memberships.map(({ group }) => group.groupId))
  return memberships.map(({ group }) => modelOf(group, members.get(group.groupId) ?? []))
}

/** Seed B, queryGroupInfo. @throws AppError GROUP_NOT_FOUND, NOT_A_MEMBER */
export async function queryGroupInfo({ store }: Ports, user: UserId, groupId: GroupId): Promise<GroupModel> {
  await readable(store, user, groupId)
  const found = await store.findMembers(groupId)
  if (!found) throw new AppError('GROUP_NOT_FOUND')
  return modelOf(
    found.group,
    found.members.map((member) => member.userId),
  )
}

export function infoOf(group: Group): GroupInfo {
  return {
    groupId: group.groupId,
    projectName: group.projectName,
    groupName: group.groupName,
    type: group.type,
    introduction: group.introduction,
    notice: group.notice,
    creator_id: group.creator,
    ...settingsOf(group),
  }
}

/** Seed B leaves the owner out of memberIds; they stand in the order of their numbers. */
function modelOf(group: Group, members: readonly UserId[]): GroupModel {
  const others = members.filter((userId) => userId !== group.creator)
  return {
    groupId: group.groupId,
    groupName: group.groupName,
    groupHeadImage: group.groupHeadImage,
    creator: Number(group.creator),
    memberIds: others.map(Number).sort((a, b) => a - b),
    updateDate: group.updateDate,
    createDate: group.createDate,
    ...settingsOf(group),
  }
}

/** Extensions: a group without them looks as the seeds have it. */
export function settingsOf({ slowModeMs, history }: Group): Pick<GroupInfo, 'slowModeMs' | 'history'> {
  return { ...(slowModeMs && { slowModeMs }), ...(history === 'joined' && { history }) }
}
