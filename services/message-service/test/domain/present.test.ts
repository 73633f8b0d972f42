import t from 'tap'
import { type Floor, stateInGroup, stateOf, toChatRecord, toMsgModel } from '../../src/domain/present.ts'
import { message } from '../sample.ts'

t.test('a record has the fields of seed A for its type, empty ones included, and no others', async (t) => {
  const base = {
    fromId: '1',
    msg_id: 'm1',
    chat_type: 'chat',
    msg: 'text 1',
    timestamp: 1_001,
    toId: '2',
    seq: 1,
    state: 1,
  }
  t.strictSame(toChatRecord(message(), 1), { ...base, type: 'txt' })
  const image = { url: 'u', filename: '', secret: '' }
  t.strictSame(toChatRecord(message({ type: 2, attachment: { url: 'u' } }), 1), { ...base, type: 'img', ...image })
  const place = { lat: 39.98, lng: 116.3, addr: '北四环西路66号' }
  t.strictSame(toChatRecord(message({ type: 3, attachment: place }), 1), { ...base, type: 'loc', ...place })
  const audio = { url: 'u', filename: 'f', secret: 's', length: 3 }
  t.strictSame(toChatRecord(message({ type: 4, attachment: audio }), 1), { ...base, type: 'audio', ...audio })
})

t.test('a group message names the group', async (t) => {
  t.match(toChatRecord(message({ group: '5' }), 1), { chat_type: 'groupchat', toId: '5' })
  t.match(toMsgModel(message({ group: '5' }), 1), { toUserId: 0, sessionId: '5' })
})

t.test('a MsgModel has numbers for users and leaves out what was not sent', async (t) => {
  t.strictSame(toMsgModel(message(), 2), {
    fromUserId: 1,
    toUserId: 2,
    contentStr: 'text 1',
    serverReceiveDate: 1_001,
    msgId: 'm1',
    msgContentType: 1,
    sessionId: '',
    state: 2,
    seq: 1,
  })
  t.match(toMsgModel(message({ type: 4, sentAt: 7, attachment: { length: 3 } }), 1), { sendDate: 7, length: 3 })
})

t.test('the state follows the reader’s cursors', async (t) => {
  t.equal(stateOf(5, undefined), 1)
  t.equal(stateOf(5, { deliveredSeq: 4, readSeq: 0 }), 1)
  t.equal(stateOf(5, { deliveredSeq: 5, readSeq: 4 }), 2)
  t.equal(stateOf(5, { deliveredSeq: 5, readSeq: 5 }), 3)
})

t.test('a group message has the state of its slowest reader, whoever wrote it left out', async (t) => {
  const floor: Floor = {
    delivered: [
      ['1', 4],
      ['2', 7],
    ],
    read: [
      ['1', 3],
      ['2', 5],
    ],
  }
  const of = (from: string, seq: number) => stateInGroup({ from, seq }, floor)
  t.same([of('3', 3), of('3', 4), of('3', 5)], [3, 2, 1])
  t.same([of('1', 5), of('1', 7), of('1', 8)], [3, 2, 1])
  t.equal(stateInGroup({ from: '3', seq: 1 }, undefined), 1)
  t.equal(stateInGroup({ from: '3', seq: 1 }, { delivered: [['3', 9]], read: [['3', 9]] }), 1)
})

t.test('what came of a message is told on both edges, and a change says what it changes', async (t) => {
  t.match(toMsgModel(message({ text: '', recalled: true }), 1), { contentStr: '', recalled: true })
  t.match(toMsgModel(message({ edited: 5 }), 1), { edited: 5 })
  const change = { kind: 'edit', seq: 1, msgId: 'm1' } as const
  t.match(toMsgModel(message({ seq: 2, change }), 1), { seq: 2, change })
  t.match(toChatRecord(message({ type: 2, text: '', recalled: true }), 1), { msg: '', url: '', recalled: true })
  t.match(toChatRecord(message({ edited: 5 }), 1), { msg: 'text 1', edited: 5 })
})
