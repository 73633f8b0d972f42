/**
 * The one table of refusals (protocol §7). `number` is the socket's `code`, `status` the HTTP status, `log` the level a
 * service logs it at. Numbers are never reused.
 */
export const errors = {
  BAD_REQUEST: {
    number: 1001,
    status: 400,
    retryable: false,
    log: 'debug',
    zh: '请求格式错误',
    en: 'The request is malformed',
  },
  UNAUTHENTICATED: {
    number: 1002,
    status: 401,
    retryable: false,
    log: 'debug',
    zh: '登录已失效，请重新登录',
    en: 'Not signed in, or the token is no longer valid',
  },
  FORBIDDEN: {
    number: 1003,
    status: 200,
    retryable: false,
    log: 'debug',
    zh: '不能以其他用户的身份操作',
    en: 'You cannot act as another user',
  },
  UNKNOWN_OPERATION: {
    number: 1004,
    status: 404,
    retryable: false,
    log: 'debug',
    zh: '没有这个接口',
    en: 'There is no such operation',
  },
  NOT_BOUND: {
    number: 1005,
    status: 401,
    retryable: false,
    log: 'debug',
    zh: '连接尚未绑定用户，请先发送getUserId',
    en: 'The connection is not bound to a user yet: send getUserId first',
  },
  TOO_LARGE: {
    number: 1006,
    status: 413,
    retryable: false,
    log: 'debug',
    zh: '请求内容过大',
    en: 'The request is too large',
  },
  RATE_LIMITED: {
    number: 1007,
    status: 429,
    retryable: true,
    log: 'debug',
    zh: '操作过于频繁，请稍后再试',
    en: 'Too many requests, try again shortly',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    number: 1008,
    status: 415,
    retryable: false,
    log: 'debug',
    zh: '请求内容必须是JSON',
    en: 'The body must be JSON',
  },
  GROUP_NOT_FOUND: {
    number: 2001,
    status: 200,
    retryable: false,
    log: 'debug',
    zh: '群不存在或已解散',
    en: 'The group does not exist',
  },
  NOT_A_MEMBER: {
    number: 2002,
    status: 200,
    retryable: false,
    log: 'debug',
    zh: '您不是该群成员',
    en: 'You are not a member of this group',
  },
  NOT_ALLOWED: {
    number: 2003,
    status: 200,
    retryable: false,
    log: 'debug',
    zh: '您没有权限执行此操作',
    en: 'You are not allowed to do this',
  },
  ADMIN_CANNOT_LEAVE: {
    number: 2004,
    status: 200,
    retryable: false,
    log: 'debug',
    zh: '群主和管理员不能退出群',
    en: 'The owner and admins cannot leave the group',
  },
  CANNOT_KICK_ADMIN: {
    number: 2005,
    status: 200,
    retryable: false,
    log: 'debug',
    zh: '不能踢出群主或管理员',
    en: 'The owner and admins cannot be removed',
  },
  MEMBER_NOT_FOUND: {
    number: 2006,
    status: 200,
    retryable: false,
    log: 'debug',
    zh: '该用户不是群成员',
    en: 'That user is not a member of the group',
  },
  GROUP_FULL: { number: 2007, status: 200, retryable: false, log: 'debug', zh: '群成员已满', en: 'The group is full' },
  NO_SUCH_RECEIVER: {
    number: 3001,
    status: 200,
    retryable: false,
    log: 'debug',
    zh: '接收人不存在',
    en: 'There is no such receiver',
  },
  MSG_ID_REUSED: {
    number: 3002,
    status: 200,
    retryable: false,
    log: 'info',
    zh: '消息ID已被其他消息使用',
    en: 'This msgId was already used for another message',
  },
  MESSAGE_TOO_LONG: {
    number: 3003,
    status: 200,
    retryable: false,
    log: 'debug',
    zh: '消息内容过长',
    en: 'The message is too long',
  },
  UNSUPPORTED_CONTENT: {
    number: 3004,
    status: 200,
    retryable: false,
    log: 'debug',
    zh: '不支持的消息类型',
    en: 'This type of message is not supported',
  },
  MESSAGE_NOT_FOUND: {
    number: 3005,
    status: 200,
    retryable: false,
    log: 'debug',
    zh: '消息不存在',
    en: 'There is no such message',
  },
  TOO_LATE: {
    number: 3006,
    status: 200,
    retryable: false,
    log: 'debug',
    zh: '消息发送时间过长，无法撤回或修改',
    en: 'The message was sent too long ago to be recalled or edited',
  },
  INTERNAL: {
    number: 5001,
    status: 500,
    retryable: true,
    log: 'error',
    zh: '系统内部错误，请稍后再试',
    en: 'Something went wrong on our side, try again shortly',
  },
  UNAVAILABLE: {
    number: 5002,
    status: 503,
    retryable: true,
    log: 'warn',
    zh: '服务暂时不可用，请稍后再试',
    en: 'A part of the system is away, try again shortly',
  },
  TIMEOUT: {
    number: 5003,
    status: 503,
    retryable: true,
    log: 'warn',
    zh: '请求超时，请稍后再试',
    en: 'No answer in time, try again shortly',
  },
} as const satisfies Record<string, ErrorEntry>

interface ErrorEntry {
  number: number
  status: number
  retryable: boolean
  log: 'debug' | 'info' | 'warn' | 'error'
  zh: string
  en: string
}

export type ErrorCode = keyof typeof errors

export function isErrorCode(word: unknown): word is ErrorCode {
  return typeof word === 'string' && Object.hasOwn(errors, word)
}
