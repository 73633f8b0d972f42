import * as changes from './changes.ts'
import * as conversations from './conversations.ts'
import * as group from './group.ts'
import * as message from './message.ts'
import * as preferences from './preferences.ts'
import * as presence from './presence.ts'
import * as receipts from './receipts.ts'
import * as user from './user.ts'

export * from './changes.ts'
export * from './conversations.ts'
export * from './group.ts'
export * from './message.ts'
export * from './preferences.ts'
export * from './presence.ts'
export * from './receipts.ts'
export * from './user.ts'

/** Every operation, by its name. */
export const operations = {
  'group.joinGroup': group.joinGroup,
  'group.groupList': group.groupList,
  'group.getGroupDetail': group.getGroupDetail,
  'group.userSetGroup': group.userSetGroup,
  'group.exitGroup': group.exitGroup,
  'group.deleteUser': group.deleteUser,
  'group.updateGroup': group.updateGroup,
  'group.createGroup': group.createGroup,
  'group.queryGroupList': group.queryGroupList,
  'group.addGroupMembers': group.addGroupMembers,
  'group.kickGroupMembers': group.kickGroupMembers,
  'group.queryGroupInfo': group.queryGroupInfo,
  'group.updateGroupInfo': group.updateGroupInfo,
  'group.setAdmin': group.setAdmin,
  'group.deleteGroup': group.deleteGroup,
  'group.groupsOfUser': group.groupsOfUser,
  'group.membersOf': group.membersOf,
  'group.memberOf': group.memberOf,
  'group.membershipsOf': group.membershipsOf,
  'group.groupsOfUsers': group.groupsOfUsers,
  'group.versionsOf': group.versionsOf,
  'user.put': user.putUsers,
  'user.get': user.getUsers,
  'user.revoke': user.revokeUser,
  'user.notBeforeOf': user.notBeforeOf,
  'message.send': message.sendMessage,
  'message.recallMessage': changes.recallMessage,
  'message.editMessage': changes.editMessage,
  'message.loadChatRecords': message.loadChatRecords,
  'message.range': message.range,
  'message.backlog': message.backlog,
  'message.behind': message.behind,
  'message.messageReceived': receipts.messageReceived,
  'message.messageRead': receipts.messageRead,
  'message.queryReceipts': receipts.queryReceipts,
  'message.conversationList': conversations.conversationList,
  'message.sync': conversations.sync,
  'message.blockUser': preferences.blockUser,
  'message.unblockUser': preferences.unblockUser,
  'message.blockList': preferences.blockList,
  'message.muteConversation': preferences.muteConversation,
  'message.typing': presence.typing,
  'message.queryPresence': presence.queryPresence,
  'presence.get': presence.getPresence,
} as const

export type Operations = typeof operations
export type OperationName = keyof Operations

/** The operations of one area: `OperationNames<'group'>` are the keys of group-service's handlers. */
export type OperationNames<Area extends string> = Extract<OperationName, `${Area}.${string}`>
