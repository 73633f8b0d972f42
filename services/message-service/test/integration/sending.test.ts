import { personalConversation } from '@qunxin/contracts'
import t from 'tap'
import { askToSend, sender } from '../../src/sending.ts'
import { eventually, fakeGateway, fakeGroups, world } from './harness.ts'

const w = await world()
t.teardown(() => w.end())
await w.start()
const one = await fakeGateway(await w.connect('gateway-1'), 'node-1')
const groups = fakeGroups(await w.connect('group-service'))
t.teardown(() => one.stop())

t.test(
  'a personal message is stored, answered, and sent to the receiver and the other devices of its sender',
  async (t) => {
    const send = one.entry('1000221', { user: '1000222' }, { text: '你好', sentAt: 1_700_000_000_000 })
    const [answer] = await one.send(send)
    t.match(answer, { id: send.id, seq: 1, at: Number })
    const [seen] = await eventually('the frame', () => {
      const there = one.messages(send.conversation)
      return there.length > 0 && there
    })
    t.same(seen!.frame, {
      tag: 'message',
      data: {
        fromUserId: 1000221,
        toUserId: 1000222,
        contentStr: '你好',
        serverReceiveDate: (answer as { at: number }).at,
        msgId: send.msgId,
        msgContentType: 1,
        sessionId: '',
        state: 1,
        seq: 1,
        sendDate: 1_700_000_000_000,
      },
    })
    t.same(seen!.item.users.toSorted(), ['1000221', '1000222'])
    t.equal(seen!.item.except, 'conn-1000221')
    t.equal(await w.db.collection('messages').countDocuments({ conversation: send.conversation }), 1)
  },
)

t.test('a group message goes to every member but the sending connection', async (t) => {
  groups.create('501', '1', '2', '3')
  const send = one.entry('2', { group: '501' })
  t.match(await one.send(send), [{ id: send.id, seq: 1 }])
  const [seen] = one.messages('g501')
  t.same(seen!.item.users.toSorted(), ['1', '2', '3'])
  t.match(seen!.frame.data, { toUserId: 0, sessionId: '501' })
})

t.test('each refusal has its code, and what stands around it is stored without a hole', async (t) => {
  groups.create('502', '1', '2')
  const outsider = one.entry('9', { group: '502' })
  const nowhere = one.entry('1', { group: '599' })
  const toOneself = one.entry('7', { user: '7' })
  const toNobody = one.entry('7', { user: '0' })
  const long = one.entry('7', { user: '8' }, { text: 'x'.repeat(5_001) })
  const strange = one.entry('7', { user: '8' }, { type: 9 as 1 })
  const before = one.entry('7', { user: '8' })
  const after = one.entry('7', { user: '8' }, { text: 'x'.repeat(5_000) })
  t.match(await one.send(outsider, nowhere, toOneself, toNobody, before, long, strange, after), [
    { code: 'NOT_A_MEMBER' },
    { code: 'GROUP_NOT_FOUND' },
    { code: 'NO_SUCH_RECEIVER' },
    { code: 'NO_SUCH_RECEIVER' },
    { seq: 1 },
    { code: 'MESSAGE_TOO_LONG' },
    { code: 'UNSUPPORTED_CONTENT' },
    { seq: 2 },
  ])
})

t.test('the same msgId five times at once is stored once and answered five times', async (t) => {
  const first = one.entry('21', { user: '22' })
  const repeats = [1, 2, 3, 4].map(() => ({ ...one.entry('21', { user: '22' }), msgId: first.msgId, text: first.text }))
  const answers = await one.send(first, ...repeats)
  t.same(new Set(answers.map((answer) => 'seq' in answer && answer.seq)), new Set([1]))
  t.equal(answers.filter((answer) => 'duplicate' in answer).length, 4)
  t.equal(await w.db.collection('messages').countDocuments({ conversation: personalConversation('21', '22') }), 1)
})

t.test('the same msgId with another text is refused', async (t) => {
  const first = one.entry('31', { user: '32' })
  const other = { ...one.entry('31', { user: '32' }), msgId: first.msgId }
  t.match(await one.send(first, other), [{ seq: 1 }, { code: 'MSG_ID_REUSED' }])
  const later = { ...one.entry('31', { user: '32' }), msgId: first.msgId }
  t.match(await one.send(later), [{ code: 'MSG_ID_REUSED' }])
})

t.test('a send for another service that the end of this process overtakes only times out', async (t) => {
  const bus = await w.connect('stopping')
  const send = sender(askToSend({ bus, instance: 'stopping', partitions: 1 }))
  const input = { toUserId: '2', msgId: 'late', msgContentType: 1 as const, contentStr: 'hello' }
  const context = { user: '1', requestId: 'r', deadline: Date.now() + 1_200 }
  await bus.close()
  await t.rejects(send(input, context), { code: 'TIMEOUT' })
})
