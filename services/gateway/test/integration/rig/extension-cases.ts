/** What a client sends, what must reach the service of it, what that answers, and what the client is answered on each edge. */
export interface Case {
  sent: Record<string, unknown>
  input: Record<string, unknown>
  output: unknown
  http: Record<string, unknown>
  /** `result` of the socket's answer, when it is not the same as `http`; null for none. */
  result?: unknown
}

export const ok = (text: string, rest: object = {}) => ({ success: true, info: text, ...rest })

const personal = { sessionId: '', peerUserId: 8 }
const group = { sessionId: '22', peerUserId: 0 }
const message = {
  fromUserId: 8,
  toUserId: 1000221,
  contentStr: '你好',
  serverReceiveDate: 1403099033211,
  msgId: 'm1',
  msgContentType: 1,
  sessionId: '',
  state: 2,
  seq: 4,
}
const changed = { seq: 9, serverReceiveDate: 1403099033211 }
const receipts = { deliveredCount: 1, readCount: 0, total: 2, members: [{ userId: 8, state: 2 }], next: 8 }
const conversations = [
  { ...personal, lastSeq: 4, lastMessage: message, deliveredSeq: 4, readSeq: 3, unread: 1, muted: true },
]
const synced = {
  positions: [
    { ...personal, status: 'messages', messages: [message], hasMore: false },
    { ...group, status: 'reset', lastSeq: 0, reason: 'notAMember' },
  ],
  new: [{ sessionId: '5', peerUserId: 0, lastSeq: 1 }],
  newNext: 'g5',
}

/** A seed B style call: its fields are the socket's `result`, and beside success and info over HTTP. */
const extension = (
  info: string,
  sent: Record<string, unknown>,
  { input, output = {} }: { input: Record<string, unknown>; output?: object },
): Case => ({ sent, input, output, http: ok(info, output), result: output })

export const extensionCases: Record<string, Case> = {
  messageReceived: extension('消息已送达', { ...personal, seq: 4 }, { input: { peerUserId: '8', seq: 4 } }),
  messageRead: extension('消息已读', { ...group, seq: '4' }, { input: { sessionId: '22', peerUserId: '0', seq: 4 } }),
  queryReceipts: extension(
    '获取消息回执成功',
    { sessionId: 22, seq: 4, after: 7 },
    { input: { sessionId: '22', seq: 4, after: 7 }, output: receipts },
  ),
  conversationList: extension('获取会话列表成功', { after: 'x' }, { input: { after: 'x' }, output: { conversations } }),
  sync: extension(
    '同步消息成功',
    {
      positions: [
        { ...personal, seq: 3 },
        { sessionId: '22', seq: '0' },
      ],
    },
    {
      input: {
        positions: [
          { peerUserId: '8', seq: 3 },
          { sessionId: '22', seq: 0 },
        ],
      },
      output: synced,
    },
  ),
  recallMessage: extension(
    '撤回消息成功',
    { ...personal, seq: 4 },
    { input: { peerUserId: '8', seq: 4 }, output: changed },
  ),
  editMessage: extension(
    '修改消息成功',
    { ...personal, seq: 4, msgId: 'e1', contentStr: '新' },
    { input: { peerUserId: '8', seq: 4, msgId: 'e1', contentStr: '新' }, output: changed },
  ),
  blockUser: extension('已屏蔽该用户', { blockUserId: 8 }, { input: { blockUserId: '8' } }),
  unblockUser: extension('已取消屏蔽该用户', { blockUserId: '8' }, { input: { blockUserId: '8' } }),
  blockList: extension('获取屏蔽列表成功', {}, { input: {}, output: { userIds: [8], next: 8 } }),
  muteConversation: extension(
    '消息免打扰设置成功',
    { sessionId: '22', muted: true },
    { input: { sessionId: '22', muted: true } },
  ),
  typing: extension('已通知对方正在输入', personal, { input: { peerUserId: '8' } }),
  queryPresence: extension(
    '获取在线状态成功',
    { userIds: [8, '9'] },
    { input: { userIds: ['8', '9'] }, output: { users: [{ userId: 8, online: true }] } },
  ),
}
