import t from 'tap'
import { type ChatClient, connect } from '../src/index.ts'
import { fakeGateway } from './fake-gateway.ts'

const peer = { sessionId: '', peerUserId: 7 }
const group = { sessionId: '9', peerUserId: 0 }

/** Each method, the tag it asks by, and its data. */
const methods: [string, (client: ChatClient) => Promise<unknown>, Record<string, unknown>][] = [
  ['sync', (client) => client.sync([{ to: '7', seq: 3 }], 'x'), { positions: [{ ...peer, seq: 3 }], newAfter: 'x' }],
  ['conversationList', (client) => client.conversations(), {}],
  ['conversationList', (client) => client.conversations('next'), { after: 'next' }],
  ['queryReceipts', (client) => client.receipts({ group: '9', seq: 4, after: 8 }), { ...group, seq: 4, after: 8 }],
  ['recallMessage', (client) => client.recall({ to: 7, seq: 4 }), { ...peer, seq: 4 }],
  [
    'editMessage',
    (client) => client.edit({ to: 7, seq: 4, text: 'new', msgId: 'e1' }),
    { ...peer, seq: 4, msgId: 'e1', contentStr: 'new' },
  ],
  ['blockUser', (client) => client.block(7), { blockUserId: 7 }],
  ['unblockUser', (client) => client.unblock('7'), { blockUserId: '7' }],
  ['blockList', (client) => client.blockList(8), { after: 8 }],
  ['muteConversation', (client) => client.mute({ group: '9', muted: true }), { ...group, muted: true }],
  ['queryPresence', (client) => client.presence([7, '8']), { userIds: [7, '8'] }],
]

t.test('each method asks under its tag and resolves with the result', async (t) => {
  const gateway = await fakeGateway(t)
  const connecting = connect({ url: gateway.url, userId: 42, accessToken: 'secret' })
  const connection = await gateway.connection()
  await connection.bind()
  const client = await connecting
  t.teardown(() => client.close())
  for (const [tag, method, data] of methods) {
    const result = method(client)
    const { taskId, ...asked } = await connection.next(tag)
    t.same(asked, { userId: 42, ...data }, tag)
    connection.send(tag, { code: 0, taskId, result: { of: tag } })
    if (!['blockUser', 'unblockUser', 'muteConversation'].includes(tag)) t.same(await result, { of: tag })
    else t.equal(await result, undefined)
  }
  const refused = client.recall({ group: '9', seq: 1 })
  refused.catch(() => {})
  connection.send('recallMessage', { code: 3006, taskId: (await connection.next('recallMessage')).taskId, info: '' })
  await t.rejects(refused, { code: 3006, retryable: false })
})

t.test('how others are, and that they type, comes out by its tag', async (t) => {
  const gateway = await fakeGateway(t)
  const connecting = connect({ url: gateway.url, userId: 42, accessToken: 'secret' })
  const connection = await gateway.connection()
  await connection.bind()
  const client = await connecting
  t.teardown(() => client.close())
  const told: unknown[] = []
  client.on('messageState', (state) => told.push(state))
  const typed = new Promise((resolve) => client.on('typing', resolve))
  const state = { ...peer, deliveredSeq: 5, readSeq: 4 }
  connection.send('messageState', state)
  connection.send('typing', { ...peer, userId: 7 })
  t.same(await typed, { ...peer, userId: 7 })
  t.same(told, [state])
})
