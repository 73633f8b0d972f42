import type { createGroup as createGroupOperation, GroupId, InputOf, UserId } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import type { CreateOutcome, CreateRequest } from '../store/group-store.ts'
import type { Member } from './group.ts'
import type { Ports } from './ports.ts'

const REPEATABLE_MS = 24 * 60 * 60 * 1000
const ID_ATTEMPTS = 10

/**
 * Seed B, createGroup: the creator becomes the owner. The same creator and non-empty taskId within 24 h is the same group.
 *
 * @throws AppError GROUP_FULL
 */
export async function createGroup(
  ports: Ports,
  user: UserId,
  input: InputOf<typeof createGroupOperation>,
): Promise<{ groupId: GroupId }> {
  const { store, owners, clock } = ports
  const userIds = [...new Set([user, ...input.memberIds])]
  if (userIds.length > ports.membersMax) throw new AppError('GROUP_FULL')
  const at = clock.now()
  const members = userIds.map<Member>((userId) => ({
    userId,
    role: userId === user ? 'owner' : 'member',
    showName: '',
    joinedAt: at,
    joinedSeq: 0,
  }))
  const make = (groupId: GroupId): Promise<CreateOutcome> =>
    store.create(
      {
        groupId,
        groupName: input.groupName,
        projectName: input.projectName ?? '',
        type: input.type ?? '1',
        introduction: input.introduction ?? '',
        notice: input.notice ?? '',
        groupHeadImage: input.groupHeadImage ?? '',
        join: input.join,
        addBy: input.addBy,
        slowModeMs: input.slowModeMs,
        history: input.history,
        creator: user,
        createDate: at,
        updateDate: at,
        memberCount: members.length,
        membersVersion: 1,
      },
      members,
      { facts: [{ what: 'created', byUserId: user, userIds }], request: requestOf(user, input.taskId) },
    )

  for (let attempt = 0; attempt < ID_ATTEMPTS; attempt++) {
    const groupId = ports.newGroupId()
    const outcome = await make(groupId)
    if (outcome.kind === 'created') {
      const notice = { reason: 'created', byUserId: user, listChanged: userIds } as const
      await owners.apply({ groupId, version: 1, added: userIds, notice })
      return { groupId }
    }
    if (outcome.kind === 'repeated') return repeated(ports, outcome.groupId)
  }
  throw new Error(`no free group id in ${ID_ATTEMPTS} attempts`)
}

/** The first call may have died before it told the owner. */
async function repeated({ store, owners }: Ports, groupId: GroupId): Promise<{ groupId: GroupId }> {
  const [version = 0] = await store.versionsOf([groupId])
  if (version > 0) await owners.apply({ groupId, version })
  return { groupId }
}

function requestOf(creator: UserId, taskId: string | number | undefined): CreateRequest | undefined {
  if (taskId === undefined || taskId === '') return undefined
  return { creator, taskId: String(taskId), validMs: REPEATABLE_MS }
}
