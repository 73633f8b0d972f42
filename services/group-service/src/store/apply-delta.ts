import type { Group } from '../domain/group.ts'
import type { GroupDelta } from './group-store.ts'

/** Whether members, roles, the slow mode or the history change: those changes raise the version that partition owners go by. */
export function changesMembership(delta: GroupDelta): boolean {
  const { added, removed, roles, fields, deleted } = delta
  const isPaceOrHistory = fields?.slowModeMs !== undefined || fields?.history !== undefined
  return Boolean(added?.length || removed?.length || roles?.length || isPaceOrHistory || deleted)
}

/** The group's own fields after a delta. */
export function groupAfter(group: Group, delta: GroupDelta): Group {
  const onlyNames = !changesMembership(delta) && !delta.fields
  return {
    ...group,
    ...delta.fields,
    creator: delta.creator ?? group.creator,
    updateDate: onlyNames ? group.updateDate : delta.at,
    memberCount: group.memberCount + (delta.added?.length ?? 0) - (delta.removed?.length ?? 0),
    membersVersion: group.membersVersion + (changesMembership(delta) ? 1 : 0),
  }
}
