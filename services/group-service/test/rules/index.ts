import type { Test } from 'tap'
import { groups } from './groups.ts'
import { intervals } from './intervals.ts'
import { membership } from './membership.ts'
import { reading } from './reading.ts'
import { refusals } from './refusals.ts'
import { telling } from './telling.ts'
import { users } from './users.ts'
import type { World } from './world.ts'

/** Every rule of groups and users, wherever it is tried. */
export function allRules(t: Test, world: World): void {
  for (const rules of [groups, intervals, membership, reading, refusals, telling, users]) rules(t, world)
}
