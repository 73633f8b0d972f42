import type { GroupId } from '@qunxin/contracts'
import type { Collection, Filter } from 'mongodb'
import type { Collections } from './database.ts'

const GROUPS_A_ROUND = 20
const A_SLICE = 1_000

/**
 * Removes the members of deleted groups and what is kept of earlier ones, a slice at a time: a transaction could not carry
 * ten thousand of them. Nothing shows them meanwhile, as every read looks at the group. May run in several processes at once,
 * and goes on after a crash.
 */
export async function sweepDeletedGroups({
  groups,
  members,
  intervals,
}: Pick<Collections, 'groups' | 'members' | 'intervals'>): Promise<void> {
  const unswept = await groups
    .find({ unswept: true }, { projection: { _id: 1 } })
    .limit(GROUPS_A_ROUND)
    .toArray()
  for (const { _id: group } of unswept) {
    await sweep(members, group)
    await sweep(intervals, group)
    await groups.updateOne({ _id: group }, { $unset: { unswept: true } })
  }
}

async function sweep<Doc extends { group: GroupId }>(collection: Collection<Doc>, group: GroupId): Promise<void> {
  for (;;) {
    const ofGroup = collection.find({ group } as Filter<Doc>, { projection: { _id: 1 } }).limit(A_SLICE)
    const ids = (await ofGroup.toArray()).map(({ _id }) => _id)
    if (ids.length === 0) return
    await collection.deleteMany({ _id: { $in: ids } } as Filter<Doc>)
  }
}
