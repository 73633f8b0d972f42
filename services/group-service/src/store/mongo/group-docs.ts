import type { Group, Member } from '../../domain/group.ts'
import { groupAfter } from '../apply-delta.ts'
import type { GroupDelta } from '../group-store.ts'
import type { OutboxFact } from '../outbox.ts'
import type { GroupDoc, MemberDoc, OutboxDoc } from './database.ts'

export function groupOf({ _id, revision: _r, deleted: _d, unswept: _u, ...group }: GroupDoc): Group {
  return { groupId: _id, ...group }
}

export function newGroupDoc({ groupId, ...group }: Group): GroupDoc {
  return { _id: groupId, ...group, revision: 1 }
}

/** What the update of the group's document sets for a delta. */
export function groupFieldsAfter(doc: GroupDoc, delta: GroupDelta): Omit<GroupDoc, '_id'> {
  const { groupId: _, ...fields } = groupAfter(groupOf(doc), delta)
  return { ...fields, revision: doc.revision + 1, ...(delta.deleted && { deleted: delta.at, unswept: true as const }) }
}

export function memberOf({ user, role, showName, joinedAt, joinedSeq }: MemberDoc): Member {
  return { userId: user, role, showName, joinedAt, ...(joinedSeq !== undefined && { joinedSeq }) }
}

/** @param version the group's membersVersion that they come with */
export function memberDoc(group: string, { userId, ...member }: Member, version: number): MemberDoc {
  return { group, user: userId, ...member, joinedVersion: version }
}

export function outboxDoc({ id, what, data }: OutboxFact): OutboxDoc {
  return { _id: id, at: data.at, what, data, waiting: true }
}
