import { actorOf, type HandlersOf } from '@qunxin/bus'
import { addGroupMembers } from './domain/add.ts'
import { createGroup } from './domain/create.ts'
import { deleteGroup } from './domain/delete.ts'
import { getGroupDetail } from './domain/detail.ts'
import { joinGroup } from './domain/join.ts'
import { deleteUser, kickGroupMembers } from './domain/kick.ts'
import { exitGroup } from './domain/leave.ts'
import { groupList, queryGroupInfo, queryGroupList } from './domain/list.ts'
import { groupsOfUser, groupsOfUsers, memberOf, membershipsOf, membersOf, versionsOf } from './domain/lookup.ts'
import { userSetGroup } from './domain/names.ts'
import type { Ports } from './domain/ports.ts'
import { notBeforeOf, revokeUser } from './domain/revoke.ts'
import { setAdmin } from './domain/set-admin.ts'
import { updateGroup } from './domain/update.ts'
import { getProfiles, putProfiles } from './domain/users.ts'

/** Every operation of groups and users: one line each. */
export function createHandlers(ports: Ports): HandlersOf<'group'> & HandlersOf<'user'> {
  return {
    'group.joinGroup': (input, context) => joinGroup(ports, actorOf(context), input.groupId),
    'group.groupList': (_input, context) => groupList(ports, actorOf(context)),
    'group.getGroupDetail': (input, context) => getGroupDetail(ports, actorOf(context), input.groupId),
    'group.userSetGroup': (input, context) => userSetGroup(ports, actorOf(context), input),
    'group.exitGroup': (input, context) => exitGroup(ports, actorOf(context), input.groupId),
    'group.deleteUser': (input, context) => deleteUser(ports, actorOf(context), input),
    'group.updateGroup': (input, context) => updateGroup(ports, actorOf(context), input),
    'group.createGroup': (input, context) => createGroup(ports, actorOf(context), input),
    'group.queryGroupList': (_input, context) => queryGroupList(ports, actorOf(context)),
    'group.addGroupMembers': (input, context) => addGroupMembers(ports, actorOf(context), input),
    'group.kickGroupMembers': (input, context) => kickGroupMembers(ports, actorOf(context), input),
    'group.queryGroupInfo': (input, context) => queryGroupInfo(ports, actorOf(context), input.groupId),
    'group.updateGroupInfo': (input, context) => updateGroup(ports, actorOf(context), input),
    'group.setAdmin': (input, context) => setAdmin(ports, actorOf(context), input),
    'group.deleteGroup': (input, context) => deleteGroup(ports, actorOf(context), input.groupId),
    'group.groupsOfUser': (input) => groupsOfUser(ports, input.userId),
    'group.membersOf': (input) => membersOf(ports, input.groupId),
    'group.memberOf': (input) => memberOf(ports, input.groupId, input.userId),
    'group.membershipsOf': (input) => membershipsOf(ports, input.userId),
    'group.groupsOfUsers': (input) => groupsOfUsers(ports, input.userIds),
    'group.versionsOf': (input) => versionsOf(ports, input.groupIds),
    'user.put': (input) => putProfiles(ports, input.users),
    'user.get': (input) => getProfiles(ports, input.userIds),
    'user.revoke': (input) => revokeUser(ports, input.userId),
    'user.notBeforeOf': (input) => notBeforeOf(ports, input.userIds),
  }
}
