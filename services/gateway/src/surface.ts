import {
  addGroupMembers,
  blockList,
  blockUser,
  conversationList,
  createGroup,
  deleteGroup,
  deleteUser,
  editMessage,
  exitGroup,
  getGroupDetail,
  groupList,
  joinGroup,
  kickGroupMembers,
  loadChatRecords,
  messageRead,
  messageReceived,
  muteConversation,
  type Operation,
  queryGroupInfo,
  queryGroupList,
  queryPresence,
  queryReceipts,
  recallMessage,
  sendMessage,
  setAdmin,
  sync,
  type TextKey,
  typing,
  unblockUser,
  updateGroup,
  updateGroupInfo,
  userSetGroup,
} from '@qunxin/contracts'

/** One operation that clients may call, by HTTP and by socket. */
export interface Row {
  operation: Operation
  path: `/chat/${'group' | 'chat'}!${string}`
  /** The socket's tag, asked with and answered under a taskId. */
  tag: string
  /** Whose answer it is: seed A puts success, info and the output into one object; seed B's `result` is the output alone. */
  style: 'seedA' | 'seedB'
  /** What a person reads on success. */
  info: TextKey
  /** A field of the output that is there for the info text only. */
  told?: string
  /** Seed B answers it without `result`. */
  noResult?: true
  /** The socket's frame is never answered (protocol §5): socket/silent-frame.ts takes it. Over HTTP it is a call like any other. */
  silent?: true
  /** The name an output that is an array gets in an HTTP answer. */
  list?: string
}

/** Every operation of both seeds, sending, and setAdmin (extension): making an operation public is one row here. */
export const surface: readonly Row[] = [
  seedA(joinGroup, 'group', { info: 'group.joined' }),
  seedA(groupList, 'group', { info: 'group.listed' }),
  seedA(getGroupDetail, 'group', { info: 'group.detailed' }),
  seedA(userSetGroup, 'group', { info: 'group.named' }),
  seedA(exitGroup, 'group', { info: 'group.left', told: 'groupName' }),
  seedA(deleteUser, 'group', { info: 'group.kicked', told: 'name' }),
  seedA(updateGroup, 'group', { info: 'group.updated' }),
  seedA(loadChatRecords, 'chat', { info: 'chat.recordsLoaded' }),

  seedB(createGroup, 'group', { info: 'group.created' }),
  seedB(queryGroupList, 'group', { info: 'group.listed', list: 'groupList' }),
  seedB(addGroupMembers, 'group', { info: 'group.membersAdded' }),
  seedB(kickGroupMembers, 'group', { info: 'group.membersKicked' }),
  seedB(queryGroupInfo, 'group', { info: 'group.loaded' }),
  seedB(updateGroupInfo, 'group', { info: 'group.updated', noResult: true }),
  seedB(setAdmin, 'group', { info: 'group.adminSet' }),
  seedB(deleteGroup, 'group', { info: 'group.deleted', noResult: true }),
  seedB(messageReceived, 'chat', { info: 'chat.received', silent: true }),
  seedB(messageRead, 'chat', { info: 'chat.read', silent: true }),
  seedB(queryReceipts, 'chat', { info: 'chat.receiptsQueried' }),
  seedB(conversationList, 'chat', { info: 'chat.conversationsListed' }),
  seedB(sync, 'chat', { info: 'chat.synced' }),
  seedB(sendMessage, 'chat', { info: 'chat.sent', tag: 'sendMessage' }),
  seedB(recallMessage, 'chat', { info: 'chat.recalled' }),
  seedB(editMessage, 'chat', { info: 'chat.edited' }),

  seedB(blockUser, 'chat', { info: 'chat.blocked' }),
  seedB(unblockUser, 'chat', { info: 'chat.unblocked' }),
  seedB(blockList, 'chat', { info: 'chat.blockListed' }),
  seedB(muteConversation, 'chat', { info: 'chat.muteSet' }),
  seedB(typing, 'chat', { info: 'chat.typingTold', silent: true }),
  seedB(queryPresence, 'chat', { info: 'chat.presenceLoaded' }),
]

export const rowOfTag: ReadonlyMap<string, Row> = new Map(surface.map((row) => [row.tag, row]))

type Area = 'group' | 'chat'
type Rest = Pick<Row, 'info' | 'told' | 'noResult' | 'silent' | 'list'> & { tag?: string }

function seedA(operation: Operation, area: Area, rest: Rest): Row {
  return row('seedA', operation, area, rest)
}

function seedB(operation: Operation, area: Area, rest: Rest): Row {
  return row('seedB', operation, area, rest)
}

/** The tag is the operation's own name, without its service, unless the row gives another; the path ends in it. */
function row(style: Row['style'], operation: Operation, area: Area, rest: Rest): Row {
  const tag = rest.tag ?? operation.name.slice(operation.name.indexOf('.') + 1)
  return { ...rest, operation, path: `/chat/${area}!${tag}`, tag, style }
}
