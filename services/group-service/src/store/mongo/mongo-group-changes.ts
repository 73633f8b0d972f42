import type { GroupId } from '@qunxin/contracts'
import { type ClientSession, MongoError } from 'mongodb'
import type { Group, Member } from '../../domain/group.ts'
import type { Outcome } from '../batches.ts'
import { outboxFacts } from '../fact-data.ts'
import type {
  ChangeOutcome,
  CreateOutcome,
  CreateRequest,
  Decide,
  Fact,
  GroupDelta,
  GroupView,
} from '../group-store.ts'
import type { OutboxFact } from '../outbox.ts'
import type { Collections, GroupDoc } from './database.ts'
import { groupFieldsAfter, groupOf, memberDoc, memberOf, newGroupDoc, outboxDoc } from './group-docs.ts'
import { keepIntervals } from './intervals.ts'

/** Stores a new group with everything that belongs to it, inside a transaction. */
export async function writeNewGroup(
  { groups, members, outbox, requests }: Collections,
  given: { group: Group; members: readonly Member[]; facts: readonly Fact[]; request: CreateRequest | undefined },
  session: ClientSession,
): Promise<CreateOutcome> {
  const { group, request } = given
  const { groupId, createDate: at } = group
  const key = request && `${request.creator}:${request.taskId}`
  if (request && key) {
    const known = await requests.findOne({ _id: key }, { session })
    // MongoDB removes what is too old in its own time.
    if (known && known.at.getTime() + request.validMs > at) return { kind: 'repeated', groupId: known.groupId }
  }
  if (await groups.findOne({ _id: groupId }, { projection: { _id: 1 }, session })) return { kind: 'taken' }
  if (key) await requests.replaceOne({ _id: key }, { groupId, at: new Date(at) }, { upsert: true, session })
  await groups.insertOne(newGroupDoc(group), { session })
  await members.insertMany(
    given.members.map((member) => memberDoc(groupId, member, group.membersVersion)),
    { session },
  )
  await writeFacts(outbox, outboxFacts(groupId, { at, revision: 1, facts: given.facts }), session)
  return { kind: 'created' }
}

/**
 * Decides changes of one group one after the other, each on what those before it left, inside a transaction. A refusal is
 * the outcome of its call; a fault of the database ends the transaction.
 */
export async function decideAll(
  collections: Collections,
  { groupId, decides }: { groupId: GroupId; decides: readonly Decide[] },
  session: ClientSession,
): Promise<Outcome<ChangeOutcome>[]> {
  const outcomes: Outcome<ChangeOutcome>[] = []
  let doc = await collections.groups.findOne({ _id: groupId }, { session })
  for (const decide of decides) {
    if (!doc) outcomes.push({ value: { kind: 'gone' } })
    else if (doc.deleted !== undefined) outcomes.push({ value: { kind: 'gone', version: doc.membersVersion } })
    else {
      const decided = await refusable(decide(viewOf(collections, doc, session)))
      if ('error' in decided) outcomes.push(decided)
      else {
        const { delta } = decided.value
        if (delta) doc = await writeDelta(collections, { doc, delta }, session)
        outcomes.push({ value: { kind: 'done', decision: decided.value, version: doc.membersVersion } })
      }
    }
  }
  return outcomes
}

async function refusable<T>(decided: Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await decided }
  } catch (error) {
    if (error instanceof MongoError) throw error
    return { error }
  }
}

/** What a decision sees: all of it from the transaction's snapshot. */
function viewOf({ members }: Collections, doc: GroupDoc, session: ClientSession): GroupView {
  const group = doc._id
  return {
    group: groupOf(doc),
    members: async (users) => {
      if (users.length === 0) return new Map()
      const found = members.find({ group, user: { $in: [...new Set(users)] } }, { projection: { _id: 0 }, session })
      return new Map((await found.toArray()).map((member) => [member.user, memberOf(member)]))
    },
    allMemberIds: async () => {
      const found = members.find({ group }, { projection: { _id: 0, user: 1 }, session })
      return (await found.toArray()).map(({ user }) => user)
    },
  }
}

/**
 * Writes a delta and answers the group's document after it. That document comes first: a change of the same group at the
 * same moment meets this one there, and one of them runs again. So all changes of a group are one after the other,
 * whatever else they touch.
 */
async function writeDelta(
  { groups, members, intervals, outbox }: Collections,
  { doc, delta }: { doc: GroupDoc; delta: GroupDelta },
  session: ClientSession,
): Promise<GroupDoc> {
  const group: GroupId = doc._id
  const fields = groupFieldsAfter(doc, delta)
  const after = { ...doc, ...fields }
  const written = await groups.updateOne(
    { _id: group, revision: doc.revision, deleted: { $exists: false } },
    { $set: fields },
    { session },
  )
  if (written.matchedCount !== 1) throw new Error('the snapshot of a transaction changed under it')
  if (delta.added?.length)
    await members.insertMany(
      delta.added.map((member) => memberDoc(group, member, after.membersVersion)),
      { session },
    )
  if (delta.removed?.length) {
    const change = { users: delta.removed, at: delta.at, version: after.membersVersion }
    await keepIntervals({ members, intervals }, { group, ...change }, session)
    await members.deleteMany({ group, user: { $in: [...delta.removed] } }, { session })
  }
  for (const { userId, ...change } of [...(delta.roles ?? []), ...(delta.showName ? [delta.showName] : [])])
    await members.updateOne({ group, user: userId }, { $set: change }, { session })
  const facts = outboxFacts(group, { at: delta.at, revision: after.revision, facts: delta.facts })
  await writeFacts(outbox, facts, session)
  return after
}

async function writeFacts(
  outbox: Collections['outbox'],
  facts: readonly OutboxFact[],
  session: ClientSession,
): Promise<void> {
  if (facts.length > 0) await outbox.insertMany(facts.map(outboxDoc), { session })
}
