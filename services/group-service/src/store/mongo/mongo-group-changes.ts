import type { GroupId } from '@qunxin/contracts'
import type { ClientSession } from 'mongodb'
import type { Group, Member } from '../../domain/group.ts'
import { outboxFacts } from '../fact-data.ts'
import type { CreateOutcome, CreateRequest, Fact, GroupDelta, GroupView } from '../group-store.ts'
import type { OutboxFact } from '../outbox.ts'
import type { Collections, GroupDoc } from './database.ts'
import { groupFieldsAfter, groupOf, memberDoc, memberOf, newGroupDoc, outboxDoc } from './group-docs.ts'

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
    given.members.map((member) => memberDoc(groupId, member)),
    { session },
  )
  await writeFacts(outbox, outboxFacts(groupId, { at, revision: 1, facts: given.facts }), session)
  return { kind: 'created' }
}

/** What a decision sees: all of it from the transaction's snapshot. */
export function viewOf({ members }: Collections, doc: GroupDoc, session: ClientSession): GroupView {
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
 * Writes a delta. The group's document comes first: a change of the same group at the same moment meets this one there, and
 * one of them runs again. So all changes of a group are one after the other, whatever else they touch.
 */
export async function writeDelta(
  { groups, members, outbox }: Collections,
  { doc, delta }: { doc: GroupDoc; delta: GroupDelta },
  session: ClientSession,
): Promise<number> {
  const group: GroupId = doc._id
  const fields = groupFieldsAfter(doc, delta)
  const revision = doc.revision + 1
  const written = await groups.updateOne(
    { _id: group, revision: doc.revision, deleted: { $exists: false } },
    { $set: fields },
    { session },
  )
  if (written.matchedCount !== 1) throw new Error('the snapshot of a transaction changed under it')
  if (delta.added?.length)
    await members.insertMany(
      delta.added.map((member) => memberDoc(group, member)),
      { session },
    )
  if (delta.removed?.length) await members.deleteMany({ group, user: { $in: [...delta.removed] } }, { session })
  for (const { userId, role } of delta.roles ?? [])
    await members.updateOne({ group, user: userId }, { $set: { role } }, { session })
  if (delta.showName) {
    const { userId, showName } = delta.showName
    await members.updateOne({ group, user: userId }, { $set: { showName } }, { session })
  }
  await writeFacts(outbox, outboxFacts(group, { at: delta.at, revision, facts: delta.facts }), session)
  return fields.membersVersion ?? doc.membersVersion
}

async function writeFacts(
  outbox: Collections['outbox'],
  facts: readonly OutboxFact[],
  session: ClientSession,
): Promise<void> {
  if (facts.length > 0) await outbox.insertMany(facts.map(outboxDoc), { session })
}
