import t from 'tap'
import { decodeBatch, encodeBatch, type SendEntry } from '../src/index.ts'

const row = { conn: 'c1', from: '20', to: '7', conversation: 'p7-20' }
const text = (id: number, words: string, of: Partial<SendEntry> = row): SendEntry =>
  ({ id, msgId: `m${id}`, type: 1, text: words, utf8: Buffer.from(words), sentAt: id * 1_000, ...of }) as SendEntry
const plain = (send: SendEntry) => {
  const { utf8: _, ...entry } = send
  return { ...entry, text: send.text }
}

t.test('a batch comes out as it went in', async (t) => {
  const group = { conn: 'c2', from: '21', group: '5', conversation: 'g5' }
  const { sentAt: _, ...undated } = text(4, '在吗')
  const image: SendEntry = { id: 6, ...row, msgId: 'm6', type: 2, text: '"\\"', attachment: { url: 'u' } }
  const sends = [
    text(1, 'one'),
    text(2, '你好 👋'),
    text(3, 'to all', group),
    undated as SendEntry,
    text(5, 'x'),
    image,
    text(7, 'y'),
  ]
  const { node, batch, sends: decoded } = decodeBatch(encodeBatch({ node: 'n"1', batch: 9, sends }))
  t.same({ node, batch }, { node: 'n"1', batch: 9 })
  t.same(decoded.map(plain), sends.map(plain))
  t.same(decodeBatch(encodeBatch({ node: 'n', batch: 1, sends: [] })).sends, [])
})

t.test('one that is JSON is read as well, and what is neither is refused', async (t) => {
  const batch = { node: 'n', batch: 1, sends: [plain(text(1, 'one'))] }
  t.same(decodeBatch(Buffer.from(JSON.stringify(batch))), batch)
  const bytes = encodeBatch({ node: 'n', batch: 1, sends: [text(1, 'one')] })
  for (let end = 0; end < bytes.length - 3; end++) t.throws(() => decodeBatch(bytes.slice(0, end)))
  for (const wrong of ['', '{}', '[]', 'null', '\0\0\0\x02{}', '\0\0\0\x02[]', '\0\0\0\x09["n",1,5]'])
    t.throws(() => decodeBatch(Buffer.from(wrong)), wrong)
})
