import t from 'tap'
import { sendInput } from '../src/index.ts'

const text = { toUserId: 1000222, msgId: 'm1', msgContentType: '1', contentStr: 'x' }

t.test('in a group the receiver does not count, whatever stands there', async (t) => {
  for (const toUserId of ['', null, 'nobody', -1, { $ne: 1 }])
    t.match(sendInput.parse({ ...text, sessionId: '7', toUserId }), { sessionId: '7' }, JSON.stringify(toUserId))
})

t.test('a type is a number, written either way; which ones there are is not decided here', async (t) => {
  for (const type of [1, '1', 5, '12345', -1, '-1', 2 ** 40])
    t.equal(sendInput.parse({ ...text, msgContentType: type }).msgContentType, Number(type))
  for (const type of ['', 'text', '1.5', 1.5, null, undefined, {}])
    t.notOk(sendInput.safeParse({ ...text, msgContentType: type }).success, JSON.stringify(type))
})

t.test('a clock that counts fractions of a millisecond is taken', async (t) => {
  for (const sendDate of [1_403_099_033_211.6, 1_403_099_033_211, '1403099033211'])
    t.equal(sendInput.parse({ ...text, sendDate }).sendDate, 1_403_099_033_211)
  for (const sendDate of ['', null, undefined]) t.equal(sendInput.parse({ ...text, sendDate }).sendDate, undefined)
  for (const sendDate of [-1, 'today', {}, 2 ** 60]) t.notOk(sendInput.safeParse({ ...text, sendDate }).success)
})
