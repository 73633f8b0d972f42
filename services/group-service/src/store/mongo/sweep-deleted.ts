import type { Collections } from './database.ts'

const GROUPS_A_ROUND = 20
const MEMBERS_A_SLICE = 1_000

/**
 * Removes the members of deleted groups, a slice at a time: a transaction could not carry ten thousand of them. Nothing
 * shows them meanwhile, as every read looks at the group. May run in several processes at once, and goes on after a crash.
 */
export async function sweepDeletedGroups({ groups, members }: Pick<Collections, 'groups' | 'members'>): Promise<void> {
  const unswept = await groups
    .find({ unswept: true }, { projection: { _id: 1 } })
    .limit(GROUPS_A_ROUND)
    .toArray()
  for (const { _id: group } of unswept) {
    for (;;) {
      const slice = await members
        .find({ group }, { projection: { _id: 1 } })
        .limit(MEMBERS_A_SLICE)
        .toArray()
      if (slice.length === 0) break
      await members.deleteMany({ _id: { $in: slice.map(({ _id }) => _id) } })
    }
    await groups.updateOne({ _id: group }, { $unset: { unswept: true } })
  }
}
