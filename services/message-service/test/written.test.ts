import { ByteWriter } from '@qunxin/contracts'
import t from 'tap'
import type { Message } from '../src/domain/message.ts'
import { toMsgModel } from '../src/domain/present.ts'
import { storedFact, writeFact } from '../src/events/facts.ts'
import { writeMessage } from '../src/fanout/message-body.ts'
import { documentsOf } from '../src/store/document-bytes.ts'
import { message } from './sample.ts'

const attachment = { url: 'https://a/b', filename: '图.png', secret: 's"' }
const messages: Partial<Message>[] = [
  {},
  { text: '你好 "群信"\n\\ 👋', msgId: '信"1', sentAt: 1_700_000_000_000 },
  { text: 'half \ud800 a pair', at: 1_700_000_000_123, seq: 2 ** 40 },
  { text: '敏捷的棕色狐狸跳过懒狗 the quick brown fox' },
  { group: '5', text: '' },
  { group: '5', type: 2, attachment },
  { type: 3, attachment: { addr: '这里', lat: 1.5, lng: -2 }, sentAt: 0 },
  { recalled: true, text: '' },
  { edited: 7 },
  { change: { kind: 'recall', seq: 1, msgId: 'm1' }, text: '' },
]

function written(write: (out: ByteWriter) => void): string {
  const out = new ByteWriter()
  write(out)
  return Buffer.from(out.copy()).toString()
}

t.test('what is written straight is what the model and the fact say', async (t) => {
  for (const fields of messages) {
    const one = message(fields)
    const frame = { tag: one.change ? 'messageChanged' : 'message', data: toMsgModel(one, 1) }
    t.equal(
      written((out) => writeMessage(out, one)),
      JSON.stringify(frame),
    )
    documentsOf([one], new ByteWriter())
    t.equal(
      written((out) => writeMessage(out, one)),
      JSON.stringify(frame),
    )
    t.equal(
      written((out) => writeFact(out, one)),
      JSON.stringify(storedFact(one)),
    )
  }
})
