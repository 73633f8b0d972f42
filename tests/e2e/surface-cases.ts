import type { ErrorCode } from '@qunxin/contracts'
import type { Person } from '../people.ts'
import type { Data } from '../raw-socket.ts'

/** A group with people of every role, made anew for each case. */
export interface World {
  groupId: string
  groupName: string
  owner: Person
  admin: Person
  member: Person
  /** A plain member that things are done to. */
  other: Person
  outsider: Person
  /** Someone who is in no group. */
  stranger: Person
  /** The acknowledgement of a message the owner sent to the group. */
  ack: Data
}

export const roles = ['outsider', 'member', 'admin', 'owner'] as const
export type RoleName = (typeof roles)[number]

export interface SurfaceCase {
  input(world: World): Record<string, unknown>
  /** What each role is answered. */
  allows: Record<RoleName, 'ok' | ErrorCode>
  /** The Chinese text on success. */
  info: string | ((world: World) => string)
  /** All that is answered beside success and info: values, or classes for what cannot be known ahead. */
  output(world: World, role: RoleName): unknown
}

const anybody = { outsider: 'ok', member: 'ok', admin: 'ok', owner: 'ok' } as const
const members = { ...anybody, outsider: 'NOT_A_MEMBER' } as const
const admins = { ...members, member: 'NOT_ALLOWED' } as const
const ownerOnly = { ...admins, admin: 'NOT_ALLOWED' } as const
const nothing = () => ({})

const groupInfo = ({ groupId, groupName, owner }: World) => ({
  groupId,
  projectName: '悦尚九鲜',
  groupName,
  type: '1',
  introduction: '群介绍',
  notice: '群公告',
  creator_id: owner.id,
})

const groupModel = ({ groupId, groupName, owner, admin, member, other }: World) => ({
  groupId,
  groupName,
  groupHeadImage: '',
  creator: owner.number,
  memberIds: [admin.number, member.number, other.number].sort((a, b) => a - b),
  updateDate: Number,
  createDate: Number,
})

const profile = {
  sex: '',
  age: '',
  phoneNumber: '',
  country: '',
  province: '',
  city: '',
  district: '',
  street: '',
  company: '',
  occupation: '',
  role: '',
  degrees: '',
  school: '',
  nickName: '',
  userPhoto: '',
  signature: '',
}

/** The message that the owner sent, as a MsgModel. */
const groupMessage = ({ groupId, owner, ack }: World) => ({
  fromUserId: owner.number,
  toUserId: 0,
  contentStr: '大家好',
  serverReceiveDate: ack.serverReceiveDate,
  msgId: ack.msgId,
  msgContentType: 1,
  sessionId: groupId,
  state: Number,
  seq: 1,
})

/** One per tag of the surface table. */
export const surfaceCases: Record<string, SurfaceCase> = {
  joinGroup: {
    input: ({ groupId }) => ({ groupId }),
    allows: anybody,
    info: '申请入群成功',
    output: nothing,
  },
  groupList: {
    input: nothing,
    allows: anybody,
    info: '获取群列表成功',
    output: (world, role) => ({ groupList: role === 'outsider' ? [] : [groupInfo(world)] }),
  },
  getGroupDetail: {
    input: ({ groupId }) => ({ groupId }),
    allows: members,
    info: '获取群详情成功',
    output: (world) => ({
      groupInfo: groupInfo(world),
      userList: [
        { userId: world.owner.number, ...profile, user_type: '1', show_name: '' },
        { userId: world.admin.number, ...profile, user_type: '2', show_name: '' },
        { userId: world.member.number, ...profile, user_type: '3', show_name: '' },
        { userId: world.other.number, ...profile, user_type: '3', show_name: '' },
      ],
    }),
  },
  userSetGroup: {
    input: ({ groupId }) => ({ groupId, showName: '彪彪小王子' }),
    allows: members,
    info: '设置群显示名称成功',
    output: nothing,
  },
  exitGroup: {
    input: ({ groupId }) => ({ groupId }),
    allows: { outsider: 'NOT_A_MEMBER', member: 'ok', admin: 'ADMIN_CANNOT_LEAVE', owner: 'ADMIN_CANNOT_LEAVE' },
    info: ({ groupName }) => `您已成功退出${groupName}`,
    output: nothing,
  },
  deleteUser: {
    input: ({ groupId, other }) => ({ groupId, groupUserId: other.id }),
    allows: admins,
    info: ({ other }) => `已成功踢出成员${other.id}`,
    output: nothing,
  },
  updateGroup: {
    input: ({ groupId }) => ({ groupId, groupName: '新名', type: '2', introduction: '', notice: '新公告' }),
    allows: admins,
    info: '修改群资料成功',
    output: nothing,
  },
  loadChatRecords: {
    input: ({ groupId }) => ({ groupId }),
    allows: members,
    info: '加载聊天记录成功',
    output: ({ groupId, owner, ack }) => ({
      recordList: [
        {
          fromId: owner.id,
          msg_id: ack.msgId,
          chat_type: 'groupchat',
          msg: '大家好',
          type: 'txt',
          timestamp: ack.serverReceiveDate,
          toId: groupId,
          seq: 1,
          state: 1,
        },
      ],
      hasMore: false,
    }),
  },
  createGroup: {
    input: ({ stranger }) => ({ groupName: '又一个群', memberIds: [stranger.number], groupHeadImage: '' }),
    allows: anybody,
    info: '创建群成功',
    output: () => ({ groupId: /^\d+$/ }),
  },
  queryGroupList: {
    input: nothing,
    allows: anybody,
    info: '获取群列表成功',
    output: (world, role) => (role === 'outsider' ? [] : [groupModel(world)]),
  },
  addGroupMembers: {
    input: ({ groupId, stranger, other }) => ({ groupId, memberIds: [stranger.number, other.id] }),
    allows: members,
    info: '添加群成员成功',
    output: nothing,
  },
  kickGroupMembers: {
    input: ({ groupId, other, stranger }) => ({ groupId, memberIds: [other.id, stranger.number] }),
    allows: admins,
    info: '踢出群成员成功',
    output: nothing,
  },
  queryGroupInfo: {
    input: ({ groupId }) => ({ groupId }),
    allows: members,
    info: '获取群信息成功',
    output: groupModel,
  },
  updateGroupInfo: {
    input: ({ groupId }) => ({ groupId, groupName: '新名', groupHeadImage: 'upload/head.png', creator: '' }),
    allows: admins,
    info: '修改群资料成功',
    output: nothing,
  },
  setAdmin: {
    input: ({ groupId, other }) => ({ groupId, memberId: other.number, admin: true }),
    allows: ownerOnly,
    info: '设置管理员成功',
    output: nothing,
  },
  deleteGroup: {
    input: ({ groupId }) => ({ groupId }),
    allows: ownerOnly,
    info: '解散群成功',
    output: nothing,
  },
  sendMessage: {
    input: ({ groupId }) => ({ sessionId: groupId, msgId: 'm-1', msgContentType: '1', contentStr: '你好' }),
    allows: members,
    info: '发送消息成功',
    output: ({ groupId }) => ({
      msgId: 'm-1',
      sessionId: groupId,
      peerUserId: 0,
      seq: 2,
      serverReceiveDate: Number,
      state: 1,
    }),
  },
  messageReceived: {
    input: ({ groupId }) => ({ sessionId: groupId, seq: 1 }),
    allows: members,
    info: '消息已送达',
    output: nothing,
  },
  messageRead: {
    input: ({ groupId }) => ({ sessionId: groupId, seq: '1' }),
    allows: members,
    info: '消息已读',
    output: nothing,
  },
  queryReceipts: {
    input: ({ groupId }) => ({ sessionId: groupId, seq: 1 }),
    allows: members,
    info: '获取消息回执成功',
    output: ({ admin, member, other }) => ({
      // A socket that was there long enough counts as reached.
      deliveredCount: Number,
      readCount: 0,
      total: 3,
      members: [admin, member, other]
        .map(({ number }) => ({ userId: number, state: Number }))
        .sort((one, next) => one.userId - next.userId),
    }),
  },
  conversationList: {
    input: nothing,
    allows: anybody,
    info: '获取会话列表成功',
    output: (world, role) => ({
      conversations:
        role === 'outsider'
          ? []
          : [
              {
                sessionId: world.groupId,
                peerUserId: 0,
                lastSeq: 1,
                lastMessage: groupMessage(world),
                // A socket that was there long enough counts as reached.
                deliveredSeq: Number,
                readSeq: Number,
                unread: role === 'owner' ? 0 : 1,
              },
            ],
    }),
  },
  sync: {
    input: ({ groupId }) => ({ positions: [{ sessionId: groupId, seq: 0 }] }),
    allows: anybody,
    info: '同步消息成功',
    output: (world, role) => ({
      positions: [
        {
          sessionId: world.groupId,
          peerUserId: 0,
          ...(role === 'outsider'
            ? { status: 'reset', lastSeq: 0, reason: 'notAMember' }
            : { status: 'messages', messages: [groupMessage(world)], hasMore: false }),
        },
      ],
      new: [],
    }),
  },
  blockUser: {
    input: ({ stranger }) => ({ blockUserId: stranger.number }),
    allows: anybody,
    info: '已屏蔽该用户',
    output: nothing,
  },
  unblockUser: {
    input: ({ stranger }) => ({ blockUserId: stranger.id }),
    allows: anybody,
    info: '已取消屏蔽该用户',
    output: nothing,
  },
  blockList: {
    input: nothing,
    allows: anybody,
    info: '获取屏蔽列表成功',
    output: () => ({ userIds: [] }),
  },
  muteConversation: {
    input: ({ groupId }) => ({ sessionId: groupId, muted: true }),
    allows: members,
    info: '消息免打扰设置成功',
    output: nothing,
  },
  typing: {
    input: ({ groupId }) => ({ sessionId: groupId }),
    allows: members,
    info: '已通知对方正在输入',
    output: nothing,
  },
  queryPresence: {
    input: ({ other, stranger }) => ({ userIds: [other.number, stranger.id] }),
    allows: anybody,
    info: '获取在线状态成功',
    output: () => ({ users: [] }),
  },
  recallMessage: {
    input: ({ groupId }) => ({ sessionId: groupId, seq: 1 }),
    allows: ownerOnly,
    info: '撤回消息成功',
    output: () => ({ seq: 2, serverReceiveDate: Number }),
  },
  editMessage: {
    input: ({ groupId }) => ({ sessionId: groupId, seq: 1, msgId: 'e-1', contentStr: '大家早上好' }),
    allows: ownerOnly,
    info: '修改消息成功',
    output: () => ({ seq: 2, serverReceiveDate: Number }),
  },
}
