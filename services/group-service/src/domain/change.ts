import type { GroupId, MembershipChangeInput } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import type { GroupDelta, GroupView } from '../store/group-store.ts'
import type { Ports } from './ports.ts'

export type Notice = NonNullable<MembershipChangeInput['notice']>

/** What a rule makes of a call: its answer, and what changes, if anything does. */
export interface Decision<T> {
  result: T
  delta?: GroupDelta
  /** What clients are told, in this order. */
  notices?: readonly Notice[]
}

/**
 * Decides and applies one change of a group, then tells the group's owner, before the call is answered.
 * The owner is told in any case, changed, unchanged or refused: the call may be the retry of one that was carried out by a
 * process that died before it told.
 *
 * @param decide may be called several times; `at` is the time of the change in milliseconds
 * @throws AppError GROUP_NOT_FOUND, and what `decide` throws
 */
export async function changeGroup<T>(
  { store, owners, clock }: Ports,
  groupId: GroupId,
  decide: (view: GroupView, at: number) => Promise<Decision<T>>,
): Promise<T> {
  let seen: number | undefined
  const outcome = await store
    .change(groupId, (view) => {
      seen = view.group.membersVersion
      return decide(view, Math.max(clock.now(), view.group.updateDate))
    })
    .catch(async (error: unknown) => {
      const refused = error instanceof AppError && !error.retryable
      if (refused && seen !== undefined) await owners.apply({ groupId, version: seen })
      throw error
    })
  if (outcome.kind === 'gone') {
    if (outcome.version !== undefined) await owners.apply({ groupId, version: outcome.version, deleted: true })
    throw new AppError('GROUP_NOT_FOUND')
  }
  const { decision, version } = outcome
  const [lastSeq] = await Promise.all(changesToTell(groupId, version, decision).map((change) => owners.apply(change)))
  const { added = [], removed = [] } = decision.delta ?? {}
  // Who repeats a call that was carried out before is told a later seq than that of the change: then times stand for it.
  if (lastSeq !== undefined && added.length + removed.length > 0)
    await store.noteSeq(groupId, { version, lastSeq, added: added.map(({ userId }) => userId), removed })
  return decision.result
}

/** The first message carries the change of membership; a second notice of the same change has nothing to add. */
function changesToTell(groupId: GroupId, version: number, decision: Decision<unknown>): MembershipChangeInput[] {
  const { delta, notices = [] } = decision
  const first: MembershipChangeInput = {
    groupId,
    version,
    added: delta?.added?.map((member) => member.userId) ?? [],
    removed: [...(delta?.removed ?? [])],
    deleted: delta?.deleted ?? false,
  }
  if (notices[0]) first.notice = notices[0]
  return [first, ...notices.slice(1).map((notice) => ({ groupId, version, notice }))]
}
