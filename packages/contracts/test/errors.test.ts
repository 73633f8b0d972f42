import t from 'tap'
import { errors, errorText, isErrorCode, operations, subjects, successText } from '../src/index.ts'

t.test('no two errors share a number', async (t) => {
  const numbers = Object.values(errors).map((entry) => entry.number)
  t.equal(new Set(numbers).size, numbers.length)
})

t.test('numbers and statuses are those of the wire contract', async (t) => {
  t.same(Object.fromEntries(Object.entries(errors).map(([word, { number, status }]) => [word, [number, status]])), {
    BAD_REQUEST: [1001, 400],
    UNAUTHENTICATED: [1002, 401],
    FORBIDDEN: [1003, 200],
    UNKNOWN_OPERATION: [1004, 404],
    NOT_BOUND: [1005, 401],
    TOO_LARGE: [1006, 413],
    RATE_LIMITED: [1007, 429],
    UNSUPPORTED_MEDIA_TYPE: [1008, 415],
    GROUP_NOT_FOUND: [2001, 200],
    NOT_A_MEMBER: [2002, 200],
    NOT_ALLOWED: [2003, 200],
    ADMIN_CANNOT_LEAVE: [2004, 200],
    CANNOT_KICK_ADMIN: [2005, 200],
    MEMBER_NOT_FOUND: [2006, 200],
    GROUP_FULL: [2007, 200],
    NO_SUCH_RECEIVER: [3001, 200],
    MSG_ID_REUSED: [3002, 200],
    MESSAGE_TOO_LONG: [3003, 200],
    UNSUPPORTED_CONTENT: [3004, 200],
    MESSAGE_NOT_FOUND: [3005, 200],
    TOO_LATE: [3006, 200],
    INTERNAL: [5001, 500],
    UNAVAILABLE: [5002, 503],
    TIMEOUT: [5003, 503],
  })
})

t.test('a word is an error code only when it stands in the table', async (t) => {
  t.ok(isErrorCode('GROUP_FULL'))
  for (const word of ['toString', '__proto__', '', 3]) t.notOk(isErrorCode(word))
})

t.test('seed A reads its own words, English readers theirs', async (t) => {
  t.equal(successText('group.joined', 'zh'), '申请入群成功')
  t.equal(successText('group.left', 'zh', '悦尚九鲜项目'), '您已成功退出悦尚九鲜项目群')
  t.equal(successText('group.left', 'zh', '悦尚九鲜项目群'), '您已成功退出悦尚九鲜项目群', 'no second 群')
  t.equal(successText('group.kicked', 'zh', '彪彪'), '已成功踢出成员彪彪')
  t.equal(successText('chat.recordsLoaded', 'zh'), '加载聊天记录成功')
  t.equal(successText('group.left', 'en', 'Chess'), 'You have left Chess')
  t.match(errorText('GROUP_FULL', 'en'), /full/)
})

t.test('every operation stands under its own name, which is its subject', async (t) => {
  for (const [name, operation] of Object.entries(operations)) {
    t.equal(operation.name, name)
    t.equal(subjects.operation(operation), name)
  }
})
