import type { GroupId, UserId } from '@qunxin/contracts'
import type { Fact, GroupDelta } from '../store/group-store.ts'
import { adminIn } from './access.ts'
import { changeGroup, type Notice } from './change.ts'
import type { Group, GroupFields } from './group.ts'
import type { Ports } from './ports.ts'
import { type Transfer, transferTo } from './transfer.ts'

/** What a call wants changed; what is undefined stays. */
export type Wanted = { [Field in keyof GroupFields]?: GroupFields[Field] | undefined }

const changeable = {
  groupName: true,
  projectName: true,
  type: true,
  introduction: true,
  notice: true,
  groupHeadImage: true,
  join: true,
  addBy: true,
  slowModeMs: true,
  history: true,
} satisfies Record<keyof GroupFields, true>

/**
 * Seed A, call 7, and seed B, updateGroupInfo, which hands the group to `creator` besides: all of it or nothing.
 *
 * @throws AppError GROUP_NOT_FOUND, NOT_A_MEMBER, NOT_ALLOWED; MEMBER_NOT_FOUND when the new owner is no member
 */
export function updateGroup(
  ports: Ports,
  user: UserId,
  wanted: Wanted & { groupId: GroupId; creator?: UserId | undefined },
): Promise<Record<string, never>> {
  return changeGroup(ports, wanted.groupId, async (view, at) => {
    const caller = await adminIn(view, user)
    const transfer = await transferTo(wanted.creator, view, caller)
    const fields = changedFields(view.group, wanted)
    if (!transfer && !fields) return { result: {} }

    const delta: GroupDelta = {
      at,
      ...(fields && { fields }),
      ...(transfer && { creator: transfer.newOwner, roles: transfer.roles }),
      facts: factsOf(user, transfer, fields),
    }
    return { result: {}, delta, notices: noticesOf(user, transfer, fields) }
  })
}

function changedFields(group: Group, wanted: Wanted): Partial<GroupFields> | undefined {
  const names = Object.keys(changeable) as (keyof GroupFields)[]
  const before: GroupFields = { ...group, slowModeMs: group.slowModeMs ?? 0, history: group.history ?? 'all' }
  const changed = names.filter((name) => wanted[name] !== undefined && wanted[name] !== before[name])
  if (changed.length === 0) return undefined
  return Object.fromEntries(changed.map((name) => [name, wanted[name]]))
}

function factsOf(byUserId: UserId, transfer: Transfer | undefined, fields: object | undefined): Fact[] {
  const facts: Fact[] = []
  if (transfer) facts.push({ what: 'roleChanged', byUserId, userIds: transfer.userIds })
  if (fields) facts.push({ what: 'updated', byUserId })
  return facts
}

function noticesOf(byUserId: UserId, transfer: Transfer | undefined, fields: object | undefined): Notice[] {
  const notices: Notice[] = []
  if (transfer) {
    const { userIds } = transfer
    notices.push({ reason: 'transferred', byUserId, userIds, listChanged: userIds })
  }
  if (fields) notices.push({ reason: 'updated', byUserId })
  return notices
}
