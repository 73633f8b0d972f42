import type { AnyHandler, CallContext } from '@qunxin/bus'
import { type OperationName, operations } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import t from 'tap'
import type { Gateway } from '../../src/service.ts'
import { surface } from '../../src/surface.ts'
import { token } from '../tokens.ts'
import { until } from './rig/client.ts'
import { type Case, extensionCases, ok } from './rig/extension-cases.ts'
import { startRig, textTo } from './rig/gateway-rig.ts'

const rig = await startRig({ env: { CALL_TIMEOUT_MS: '1000' } })
const { service } = rig

async function call(path: string, data: unknown, options: { gateway?: Gateway; accessToken?: string } = {}) {
  const { gateway = rig.gateway, accessToken = await token() } = options
  const response = await fetch(gateway.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ headers: { uid: '1000221', accessToken }, data }),
  })
  // biome-ignore lint/suspicious/noExplicitAny: what came over the wire, looked at by a test
  return { status: response.status, data: ((await response.json()) as { data: any }).data }
}

const readyz = async (gateway: Gateway) => {
  const response = await fetch(`${gateway.opsUrl}/readyz`)
  return { status: response.status, body: (await response.json()) as { waitingFor: Record<string, string> } }
}

const info = {
  groupId: '22',
  projectName: '',
  groupName: '九鲜',
  type: '1',
  introduction: '',
  notice: '',
  creator_id: '7',
}
const model = {
  groupId: '22',
  groupName: '九鲜',
  groupHeadImage: '',
  creator: 7,
  memberIds: [8, 1000221],
  updateDate: 2,
  createDate: 1,
}
const record = {
  fromId: '7',
  msg_id: 'm1',
  chat_type: 'groupchat',
  msg: '你好',
  type: 'txt',
  timestamp: 1403099033211,
  toId: '22',
  seq: 1,
  state: 1,
}

const cases: Record<string, Case> = {
  joinGroup: { sent: { groupId: 22, extra: 1 }, input: { groupId: '22' }, output: {}, http: ok('申请入群成功') },
  groupList: { sent: {}, input: {}, output: { groupList: [info] }, http: ok('获取群列表成功', { groupList: [info] }) },
  getGroupDetail: {
    sent: { groupId: '22' },
    input: { groupId: '22' },
    output: { groupInfo: info, userList: [] },
    http: ok('获取群详情成功', { groupInfo: info, userList: [] }),
  },
  userSetGroup: {
    sent: { groupId: '22', showName: '彪彪' },
    input: { groupId: '22', showName: '彪彪' },
    output: {},
    http: ok('设置群显示名称成功'),
  },
  exitGroup: {
    sent: { groupId: '22' },
    input: { groupId: '22' },
    output: { groupName: '九鲜' },
    http: ok('您已成功退出九鲜群'),
  },
  deleteUser: {
    sent: { groupId: '22', groupUserId: 12555 },
    input: { groupId: '22', groupUserId: '12555' },
    output: { name: '彪彪' },
    http: ok('已成功踢出成员彪彪'),
  },
  updateGroup: {
    sent: { groupId: '22', groupName: '', notice: '通知' },
    input: { groupId: '22', notice: '通知' },
    output: {},
    http: ok('修改群资料成功'),
  },
  loadChatRecords: {
    sent: { groupId: '22', chatUserId: '', lastTime: '1403166586000' },
    input: { groupId: '22', lastTime: 1403166586000 },
    output: { recordList: [record], hasMore: false },
    http: ok('加载聊天记录成功', { recordList: [record], hasMore: false }),
  },
  createGroup: {
    sent: { groupName: '九鲜', userId: 1000221, memberIds: [1000221, '8'], groupHeadImage: '' },
    input: { groupName: '九鲜', memberIds: ['1000221', '8'] },
    output: { groupId: '22' },
    http: ok('创建群成功', { groupId: '22' }),
    result: { groupId: '22' },
  },
  queryGroupList: {
    sent: { userId: '1000221' },
    input: {},
    output: [model],
    http: ok('获取群列表成功', { groupList: [model] }),
    result: [model],
  },
  addGroupMembers: {
    sent: { userId: 1000221, groupId: '22', memberIds: [9] },
    input: { groupId: '22', memberIds: ['9'] },
    output: {},
    http: ok('添加群成员成功'),
    result: {},
  },
  kickGroupMembers: {
    sent: { userId: 1000221, groupId: '22', memberIds: [9] },
    input: { groupId: '22', memberIds: ['9'] },
    output: {},
    http: ok('踢出群成员成功'),
    result: {},
  },
  queryGroupInfo: {
    sent: { userId: 1000221, groupId: '22' },
    input: { groupId: '22' },
    output: model,
    http: ok('获取群信息成功', model),
    result: model,
  },
  updateGroupInfo: {
    sent: { userId: 1000221, groupId: '22', groupName: '新', creator: 8 },
    input: { groupId: '22', groupName: '新', creator: '8' },
    output: {},
    http: ok('修改群资料成功'),
    result: null,
  },
  setAdmin: {
    sent: { userId: 1000221, groupId: '22', memberId: 8, admin: true },
    input: { groupId: '22', memberId: '8', admin: true },
    output: {},
    http: ok('设置管理员成功'),
    result: {},
  },
  deleteGroup: {
    sent: { userId: 1000221, groupId: '22' },
    input: { groupId: '22' },
    output: {},
    http: ok('解散群成功'),
    result: null,
  },
  ...extensionCases,
}

let asked: { name: string; input: unknown; user: string } | undefined
let refuse: AppError | undefined
for (const row of surface) {
  const one = cases[row.tag]
  if (!one) continue
  const name = row.operation.name as OperationName
  const handler: AnyHandler = (input: unknown, { user }: CallContext) => {
    asked = { name, input, user }
    if (refuse) throw refuse
    return one.output
  }
  service.bus.serve({ [name]: handler }, name.startsWith('group') ? 'group-service' : 'message-service')
}
await service.bus.flush()

t.test('every call reaches its service as the caller, and its answer comes back on both edges', async (t) => {
  const socket = await rig.bind(rig.gateway, 1000221)
  for (const row of surface.filter(({ operation }) => operation !== operations['message.send'])) {
    const one = cases[row.tag]
    if (!one) t.fail(`no case for ${row.tag}`)
    else {
      const { status, data } = await call(row.path, one.sent)
      t.equal(status, 200, row.path)
      t.strictSame(asked, { name: row.operation.name, input: one.input, user: '1000221' }, row.path)
      t.strictSame(data, one.http, row.path)
      // Without an answer on the socket, where the gateway sees to it by other means.
      if (row.silent) continue

      socket.send(row.tag, { ...one.sent, taskId: row.tag })
      const result = one.result === undefined ? one.http : one.result
      const answer = { code: 0, taskId: row.tag, ...(result !== null && { result }) }
      t.strictSame(await socket.next(row.tag), answer, row.tag)
    }
  }
})

t.test("a service's refusal is told in both languages of errors: the word and the number", async (t) => {
  refuse = new AppError('NOT_ALLOWED')
  const socket = await rig.bind(rig.gateway, 1000221)
  for (const row of surface.filter(({ tag }) => tag in cases)) {
    const { status, data } = await call(row.path, cases[row.tag]?.sent)
    t.equal(status, 200)
    t.strictSame(data, { success: false, info: '您没有权限执行此操作', code: 'NOT_ALLOWED' }, row.path)
    if (row.silent) continue
    socket.send(row.tag, { ...cases[row.tag]?.sent, taskId: row.tag })
    t.strictSame(await socket.next(row.tag), { code: 2003, taskId: row.tag, info: '您没有权限执行此操作' }, row.tag)
  }
  refuse = undefined
})

t.test('a message sent by a call is answered when its partition has answered', async (t) => {
  service.onBatch = ({ node, sends }) =>
    service.answer(
      node,
      sends.map(({ id }) => ({ id, seq: 5, at: 1403099033211 })),
    )
  const sent = textTo(8, 'h1')
  const stored = { msgId: 'h1', sessionId: '', peerUserId: 8, seq: 5, serverReceiveDate: 1403099033211, state: 1 }
  const { data } = await call('/chat/chat!sendMessage', { ...sent, fromUserId: 1000221 })
  t.strictSame(data, ok('发送消息成功', stored))
  const entry = service.sends.find(({ msgId }) => msgId === 'h1')
  t.match(entry, { conn: '', from: '1000221', to: '8', conversation: 'p8-1000221', text: 'hello', type: 1 })

  const socket = await rig.bind(rig.gateway, 1000221)
  socket.send('sendMessage', { ...sent, msgId: 'h2', taskId: 's' })
  t.strictSame(await socket.next('sendMessage'), { code: 0, taskId: 's', result: { ...stored, msgId: 'h2' } })

  service.onBatch = ({ node, sends }) =>
    service.answer(
      node,
      sends.map(({ id }) => ({ id, code: 'MSG_ID_REUSED' as const })),
    )
  const refused = await call('/chat/chat!sendMessage', sent)
  t.equal(refused.status, 200)
  t.match(refused.data, { success: false, code: 'MSG_ID_REUSED' })
  t.match((await call('/chat/chat!sendMessage', textTo(0, 'h3'))).data, { code: 'NO_SUCH_RECEIVER' })
  service.onBatch = () => {}
})

t.test('what nobody serves is 503, and so is a send without an owner', async (t) => {
  const alone = await rig.startGateway({
    SUBJECT_PREFIX: `${rig.prefix}x`,
    CALL_TIMEOUT_MS: '300',
    SEND_TIMEOUT_MS: '300',
  })
  const away = await call('/chat/group!groupList', {}, { gateway: alone })
  t.equal(away.status, 503)
  t.strictSame(away.data, { success: false, info: '服务暂时不可用，请稍后再试', code: 'UNAVAILABLE' })
  const late = await call('/chat/chat!sendMessage', textTo(8, 'h4'), { gateway: alone })
  t.equal(late.status, 503)
  t.match(late.data, { code: 'TIMEOUT' })
})

t.test('a revoked token is refused from the order on, a newer one is not', async (t) => {
  const iat = Math.floor(Date.now() / 1000)
  const [before, after] = [await token({ iat: iat - 60 }), await token({ iat: iat + 1 })]
  t.equal((await call('/chat/group!groupList', {}, { accessToken: before })).status, 200)
  const order = { kind: 'revoke', userId: '1000221', notBefore: iat * 1000 }
  service.bus.publish('gateway.all.control', JSON.stringify(order))
  await until(
    async () => (await call('/chat/group!groupList', {}, { accessToken: before })).status === 401,
    'the order',
  )
  t.equal((await call('/chat/group!groupList', {}, { accessToken: after })).status, 200)
})

t.test('the limit is one for calls and frames', async (t) => {
  const gateway = await rig.startGateway()
  const socket = await rig.bind(gateway, 1000221)
  let refused = await call('/chat/group!groupList', {}, { gateway })
  t.equal(refused.status, 200)
  await until(async () => {
    for (let i = 0; i < 250; i++) socket.send('groupList', { taskId: i })
    refused = await call('/chat/group!groupList', {}, { gateway })
    return refused.status === 429
  }, 'a call that is refused because of frames')
  t.match(refused.data, { success: false, info: '操作过于频繁，请稍后再试', code: 'RATE_LIMITED' })
})

t.test('load tools can do without limits', async (t) => {
  const free = await rig.startGateway({ RATE_LIMITS: 'off' })
  const all = await Promise.all(Array.from({ length: 300 }, () => call('/chat/group!groupList', {}, { gateway: free })))
  t.ok(all.every(({ status }) => status === 200))
})

t.test('a gateway that counts partitions differently is not ready, and says why', async (t) => {
  t.same(await readyz(rig.gateway), { status: 200, body: { ready: true, waitingFor: {} } })
  const other = await rig.startGateway({ PARTITIONS: '16' })
  await until(async () => (await readyz(other)).status === 503, 'not ready')
  t.match((await readyz(other)).body.waitingFor.partitions, /PARTITIONS=8.*16/)
})
