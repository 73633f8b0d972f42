import { sendInput } from '@qunxin/contracts'
import { validate } from '@qunxin/runtime'
import t from 'tap'
import { entryOf, outputOf } from '../../src/calls/send-call.ts'

const text = { msgId: 'm1', msgContentType: '1', contentStr: '你好', sendDate: '1403099033211' }
const entry = (data: Record<string, unknown>) => entryOf(validate(sendInput, { ...text, ...data }), '20', 'c1')

t.test('without a sessionId it goes to the pair, with one to the group', async (t) => {
  const content = { id: 0, conn: 'c1', from: '20', msgId: 'm1', type: 1, text: '你好', sentAt: 1403099033211 }
  t.strictSame(entry({ toUserId: '3', sessionId: '' }), { ...content, conversation: 'p3-20', to: '3' })
  t.strictSame(entry({ toUserId: 100 }), { ...content, conversation: 'p20-100', to: '100' })
  t.strictSame(entry({ toUserId: 0, sessionId: '77' }), { ...content, conversation: 'g77', group: '77' })
  t.strictSame(entry({ toUserId: 20, sessionId: '77' }), { ...content, conversation: 'g77', group: '77' })
})

t.test('who is no receiver, and what is no content', async (t) => {
  t.throws(() => entry({ toUserId: 0 }), { code: 'NO_SUCH_RECEIVER' })
  t.throws(() => entry({ toUserId: 20 }), { code: 'NO_SUCH_RECEIVER' })
  t.throws(() => entry({}), { code: 'BAD_REQUEST', details: { field: 'toUserId' } })
  t.throws(() => entry({ toUserId: 3, msgContentType: 9 }), { code: 'UNSUPPORTED_CONTENT' })
  const empty = { toUserId: 3, contentStr: '' }
  t.throws(() => entry(empty), { code: 'BAD_REQUEST', details: { field: 'contentStr' } })
  t.equal(entry({ ...empty, msgContentType: 2 }).text, '', 'an image needs no words')
})

t.test('only the attachment fields of its type go along', async (t) => {
  const all = { url: 'u', filename: 'f', secret: 's', length: 3, lat: 39.98, lng: 116.3, addr: 'a', toUserId: 3 }
  t.strictSame(entry({ ...all, msgContentType: 2 }).attachment, { url: 'u', filename: 'f', secret: 's' })
  t.strictSame(entry({ ...all, msgContentType: 3 }).attachment, { lat: 39.98, lng: 116.3, addr: 'a' })
  t.strictSame(entry({ ...all, msgContentType: 4 }).attachment, { url: 'u', filename: 'f', secret: 's', length: 3 })
  t.notOk('attachment' in entry(all))
})

t.test('the answer names the conversation as its sender does', async (t) => {
  t.strictSame(outputOf(entry({ toUserId: 3 }), { id: 1, seq: 5, at: 9 }), {
    msgId: 'm1',
    sessionId: '',
    peerUserId: 3,
    seq: 5,
    serverReceiveDate: 9,
    state: 1,
  })
  t.match(outputOf(entry({ sessionId: '77' }), { id: 1, seq: 5, at: 9, duplicate: true }), {
    sessionId: '77',
    peerUserId: 0,
    duplicate: true,
  })
  t.throws(() => outputOf(entry({ toUserId: 3 }), { id: 1, code: 'MSG_ID_REUSED' }), { code: 'MSG_ID_REUSED' })
})
