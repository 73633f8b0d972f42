import type { GroupId, MembershipInterval, UserId } from '@qunxin/contracts'
import type { ClientSession } from 'mongodb'
import type { Collections, MemberDoc, PastInterval } from './database.ts'

/** Of a member who comes and goes the newest times are kept: what was sent in older ones is no longer shown to them. */
const MOST_INTERVALS = 100

type Kept = Pick<Collections, 'members' | 'intervals'>

/** Keeps in which time each of `users` was a member, in the transaction that is about to remove them. */
export async function keepIntervals(
  { members, intervals }: Kept,
  { group, users, at, version }: { group: GroupId; users: readonly UserId[]; at: number; version: number },
  session: ClientSession,
): Promise<void> {
  const leaving = await members.find({ group, user: { $in: [...users] } }, { session }).toArray()
  if (leaving.length === 0) return
  const updates = leaving.map((member) => ({
    updateOne: {
      filter: { group, user: member.user },
      update: { $push: { past: { $each: [intervalOf(member, { at, version })], $slice: -MOST_INTERVALS } } },
      upsert: true,
    },
  }))
  await intervals.bulkWrite(updates, { session })
}

function intervalOf(member: MemberDoc, { at, version }: { at: number; version: number }): PastInterval {
  const interval: PastInterval = { afterTime: member.joinedAt, toTime: at, toVersion: version }
  if (member.joinedVersion !== undefined) interval.afterVersion = member.joinedVersion
  if (member.joinedSeq !== undefined) interval.afterSeq = member.joinedSeq
  return interval
}

/** Stores where in the log a change stands. The version says which joining or leaving is meant: there may have been more. */
export async function writeSeq(
  { members, intervals }: Kept,
  group: GroupId,
  change: { version: number; lastSeq: number; added: readonly UserId[]; removed: readonly UserId[] },
): Promise<void> {
  const { version, lastSeq, added, removed } = change
  if (added.length > 0) {
    const joined = { group, user: { $in: [...added] }, joinedVersion: version, joinedSeq: { $exists: false } }
    const { matchedCount } = await members.updateMany(joined, { $set: { joinedSeq: lastSeq } })
    // Who has left since took the time of joining along.
    if (matchedCount < added.length)
      await intervals.updateMany(
        { group, user: { $in: [...added] } },
        { $set: { 'past.$[one].afterSeq': lastSeq } },
        { arrayFilters: [{ 'one.afterVersion': version, 'one.afterSeq': { $exists: false } }] },
      )
  }
  if (removed.length > 0)
    await intervals.updateMany(
      { group, user: { $in: [...removed] } },
      { $set: { 'past.$[one].toSeq': lastSeq } },
      { arrayFilters: [{ 'one.toVersion': version, 'one.toSeq': { $exists: false } }] },
    )
}

export function shownInterval({ afterTime, afterSeq, toTime, toSeq }: PastInterval): MembershipInterval {
  return { afterTime, afterSeq, toTime, toSeq }
}
