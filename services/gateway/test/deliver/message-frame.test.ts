import t from 'tap'
import { messageFrame } from '../../src/deliver/message-frame.ts'

const message = {
  fromUserId: 1,
  toUserId: 2,
  contentStr: '',
  serverReceiveDate: 1,
  msgId: 'm1',
  msgContentType: 1,
  sessionId: '',
  state: 1 as const,
  seq: 8,
}
const tagOf = (frame: Buffer) => JSON.parse(frame.subarray(frame.indexOf('{')).toString()).tag

t.test('a recall or an edit is told by a tag of its own, which clients of the seeds ignore', async (t) => {
  t.equal(tagOf(messageFrame(message)), 'message')
  t.equal(tagOf(messageFrame({ ...message, recalled: true })), 'message', 'what was recalled is a message still')
  t.equal(tagOf(messageFrame({ ...message, change: { kind: 'recall', seq: 7, msgId: 'm0' } })), 'messageChanged')
})
