import { ByteWriter } from '@qunxin/contracts'
import { BSON } from 'mongodb'
import t from 'tap'
import type { Message } from '../../src/domain/message.ts'
import { documentsOf } from '../../src/store/document-bytes.ts'
import { idOf, toDocument } from '../../src/store/message-document.ts'
import { message } from '../sample.ts'

const messages: Partial<Message>[] = [
  {},
  { text: '你好 "群信"\0\n 👋 \ud800', msgId: '信' },
  { text: '长'.repeat(5_000), seq: 123_456_789, at: 1_700_000_000_123, sentAt: 1_700_000_000_000 },
  { seq: 9 },
  { seq: 10 },
  { seq: 2 ** 53 - 1 },
  { sentAt: 2 ** 31 - 1 },
  { sentAt: 2 ** 31 },
  { sentAt: 1.5 },
  { group: '5', sentAt: 0 },
  { group: '5', type: 2, attachment: { url: 'https://a/b', lat: 1.5 } },
  { recalled: true, text: '' },
  { edited: 7 },
  { change: { kind: 'edit', seq: 1, msgId: 'm1' } },
]

t.test('a document is written as the driver writes it', async (t) => {
  const out = new ByteWriter()
  for (const fields of messages) {
    const one = message(fields)
    const written = documentsOf([one], out)
    const expected = BSON.serialize(toDocument(one), { ignoreUndefined: true })
    t.equal(Buffer.from(written).toString('hex'), Buffer.from(expected).toString('hex'))
    t.equal(BSON.deserialize(written)._id, idOf(one.conversation, one.seq))
  }
  const all = messages.map((fields) => message(fields))
  const expected = all.map((one) => BSON.serialize(toDocument(one), { ignoreUndefined: true }))
  t.equal(Buffer.from(documentsOf(all, out)).toString('hex'), Buffer.concat(expected).toString('hex'))
})

t.test('a text is left as UTF-8 to whoever writes it next, unless JSON would write it otherwise', async (t) => {
  const left = (text: string) => {
    const one = message({ text })
    documentsOf([message(), one], new ByteWriter())
    return one.utf8 && Buffer.from(one.utf8).toString()
  }
  const text = '敏捷的棕色狐狸跳过懒狗 the quick brown fox'
  t.equal(left(text), text)
  for (const other of ['short', `${text}"`, `${text}\n`, `${text}👋`, text.repeat(50)]) t.equal(left(other), undefined)
})
