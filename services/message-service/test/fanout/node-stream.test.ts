import { decodeDelivery, encodeDelivery } from '@qunxin/contracts'
import t from 'tap'
import { NodeStream } from '../../src/fanout/node-stream.ts'

const delivery = (size = 0) => {
  const items = [{ kind: 'frame' as const, size, users: ['1'] }]
  return encodeDelivery({ from: 'i', items }, [new Uint8Array(size)])
}
const places = (payloads: readonly Uint8Array[]) => payloads.map((payload) => decodeDelivery(payload).place)
const numbers = (payloads: readonly Uint8Array[]) => places(payloads).map(({ number }) => number)
const filled = (count: number, size = 0) => {
  const stream = new NodeStream('a', 'i')
  for (let i = 0; i < count; i++) stream.keep(delivery(size))
  return stream
}

t.test('numbers begin with 1 and have no gap; what is confirmed is kept no longer', async (t) => {
  const stream = filled(3)
  t.same(numbers(stream.newerThan(0)), [1, 2, 3])
  stream.confirm(2)
  t.same(numbers(stream.newerThan(0)), [3])
  stream.confirm(1)
  t.equal(stream.unconfirmed, 1, 'an old confirmation says nothing new')
  stream.confirm(3)
  t.same([stream.unconfirmed, stream.bytes], [0, 0])
  stream.keep(delivery())
  t.same(numbers(stream.newerThan(0)), [4])
})

t.test('who asks gets what is behind what it has, in order, and last how far the stream goes', async (t) => {
  const stream = filled(4)
  const payloads = stream.behind(2)
  t.same(numbers(payloads), [3, 4, 4])
  t.same(decodeDelivery(payloads[2]!).delivery, { from: 'i', items: [] })
  t.same(places(stream.behind(4)), [{ number: 4, oldest: 1 }])
})

t.test('what is asked for goes in parts, and the mark behind each says that there is more', async (t) => {
  const stream = filled(5, 400_000)
  t.same(numbers(stream.behind(0)), [1, 2, 3, 5])
  t.same(numbers(stream.behind(3)), [4, 5, 5])
})

t.test('what is given up shows in everything published later', async (t) => {
  const stream = filled(5, 1_000)
  stream.shrink(2 * delivery(1_000).length)
  t.equal(stream.unconfirmed, 2)
  t.same(places(stream.behind(0)), [
    { number: 4, oldest: 4 },
    { number: 5, oldest: 4 },
    { number: 5, oldest: 4 },
  ])
})

t.test('a stream that breaks off shows it also to a node that had everything', async (t) => {
  const stream = filled(3)
  stream.confirm(3)
  stream.break()
  const [mark] = places([stream.mark()])
  t.ok(mark!.oldest > 4, 'it waits for 4, and cannot have it')
  stream.keep(delivery())
  t.same(places(stream.behind(3)).at(0), { number: mark!.oldest, oldest: mark!.oldest })
})

t.test('a node that has had more than was ever sent finds its stream broken, not repeated', async (t) => {
  const stream = filled(1)
  stream.confirm(7)
  t.same(places([stream.mark()]), [{ number: 8, oldest: 9 }])
  t.equal(stream.bytes, 0)
})
