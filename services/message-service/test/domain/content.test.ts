import t from 'tap'
import { attachmentOf, contentHash } from '../../src/domain/content.ts'

const image = { url: 'http://files/1.png', filename: '1.png', secret: 's' }

t.test('the hash follows the text, the type and every attachment field, and nothing else', async (t) => {
  const hash = contentHash({ type: 2, text: 'a', attachment: image })
  t.equal(contentHash({ type: 2, text: 'a', attachment: { secret: 's', filename: '1.png', url: image.url } }), hash)
  t.not(contentHash({ type: 2, text: 'b', attachment: image }), hash)
  t.not(contentHash({ type: 4, text: 'a', attachment: image }), hash)
  t.not(contentHash({ type: 2, text: 'a', attachment: { ...image, secret: 'other' } }), hash)
  t.not(contentHash({ type: 2, text: 'a' }), hash)
  t.not(contentHash({ type: 1, text: '2\na' }), contentHash({ type: 1, text: 'a' }))
})

t.test('a message keeps the attachment fields of its type only', async (t) => {
  const all = { ...image, length: 3, lat: 1, lng: 2, addr: 'x' }
  t.equal(attachmentOf(1, all), undefined)
  t.same(attachmentOf(2, all), image)
  t.same(attachmentOf(3, all), { lat: 1, lng: 2, addr: 'x' })
  t.same(attachmentOf(4, all), { ...image, length: 3 })
  t.equal(attachmentOf(9, all), undefined)
})

t.test('fields of another type do not make another content', async (t) => {
  t.equal(contentHash({ type: 1, text: 'a', attachment: image }), contentHash({ type: 1, text: 'a' }))
})

t.test('a change is another content than a message, by what it changes and its text', async (t) => {
  const edit = (seq: number, text: string) =>
    contentHash({ type: 1, text, change: { kind: 'edit', seq, msgId: `m${seq}` } })
  t.equal(edit(1, 'a'), edit(1, 'a'))
  const others = [edit(2, 'a'), edit(1, 'b'), contentHash({ type: 1, text: 'a' })]
  others.push(contentHash({ type: 1, text: 'a', change: { kind: 'recall', seq: 1, msgId: 'm1' } }))
  for (const other of others) t.not(other, edit(1, 'a'))
})
