import { type ErrorCode, errors } from './errors.ts'

export type Language = 'zh' | 'en'

const withoutSuffix = (name: string) => (name.endsWith('群') ? name.slice(0, -1) : name)

/** What a person reads when a call succeeded. Seed A's words are law; `{name}` stands for what the operation tells. */
const successes = {
  'group.joined': { zh: '申请入群成功', en: 'You have joined the group' },
  'group.listed': { zh: '获取群列表成功', en: 'Groups loaded' },
  'group.detailed': { zh: '获取群详情成功', en: 'Group details loaded' },
  'group.named': { zh: '设置群显示名称成功', en: 'The name shown in the group is set' },
  'group.left': {
    zh: (name: string) => `您已成功退出${withoutSuffix(name)}群`,
    en: (name: string) => `You have left ${name}`,
  },
  'group.kicked': { zh: (name: string) => `已成功踢出成员${name}`, en: (name: string) => `${name} was removed` },
  'group.updated': { zh: '修改群资料成功', en: 'The group is updated' },
  'group.created': { zh: '创建群成功', en: 'The group is created' },
  'group.membersAdded': { zh: '添加群成员成功', en: 'Members added' },
  'group.membersKicked': { zh: '踢出群成员成功', en: 'Members removed' },
  'group.loaded': { zh: '获取群信息成功', en: 'Group loaded' },
  'group.adminSet': { zh: '设置管理员成功', en: 'Admin rights set' },
  'group.deleted': { zh: '解散群成功', en: 'The group is deleted' },
  'chat.recordsLoaded': { zh: '加载聊天记录成功', en: 'Messages loaded' },
  'chat.recalled': { zh: '撤回消息成功', en: 'The message was taken back' },
  'chat.edited': { zh: '修改消息成功', en: 'The message is changed' },
  'chat.sent': { zh: '发送消息成功', en: 'Message sent' },
  'chat.received': { zh: '消息已送达', en: 'Marked as received' },
  'chat.read': { zh: '消息已读', en: 'Marked as read' },
  'chat.receiptsQueried': { zh: '获取消息回执成功', en: 'Receipts loaded' },
  'chat.conversationsListed': { zh: '获取会话列表成功', en: 'Conversations loaded' },
  'chat.synced': { zh: '同步消息成功', en: 'Messages synchronized' },
  'chat.blocked': { zh: '已屏蔽该用户', en: 'The user is blocked' },
  'chat.unblocked': { zh: '已取消屏蔽该用户', en: 'The user is no longer blocked' },
  'chat.blockListed': { zh: '获取屏蔽列表成功', en: 'Blocked users loaded' },
  'chat.muteSet': { zh: '消息免打扰设置成功', en: 'Mute set' },
  'chat.typingTold': { zh: '已通知对方正在输入', en: 'The others are told' },
  'chat.presenceLoaded': { zh: '获取在线状态成功', en: 'Online states loaded' },
} as const satisfies Record<string, { [L in Language]: string | ((name: string) => string) }>

export type TextKey = keyof typeof successes

export function successText(key: TextKey, language: Language, name = ''): string {
  const text = successes[key][language]
  return typeof text === 'string' ? text : text(name)
}

export function errorText(code: ErrorCode, language: Language): string {
  return errors[code][language]
}
