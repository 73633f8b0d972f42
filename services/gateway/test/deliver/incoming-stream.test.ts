import t from 'tap'
import { IncomingStream } from '../../src/deliver/incoming-stream.ts'

const place = (number: number, oldest = 1) => ({ number, oldest })

t.test('deliveries are taken in the order of their numbers, each once', async (t) => {
  const stream = new IncomingStream('i')
  const taken = [1, 2, 2, 1, 3].filter((number) => stream.take(place(number), 10))
  t.same(taken, [1, 2, 3])
  t.notOk(stream.incomplete)
})

t.test('what comes behind a missing one is left until that has come', async (t) => {
  const stream = new IncomingStream('i')
  t.notOk(stream.take(place(2), 10))
  t.ok(stream.incomplete)
  t.equal(stream.toAsk(0), 0, 'everything behind 0 is asked for')
  t.ok(stream.take(place(1), 10))
  t.ok(stream.incomplete, 'that 2 exists is not forgotten')
  t.ok(stream.take(place(2), 10))
  t.notOk(stream.incomplete)
})

t.test('it asks again for the same only after a while, and at once for what is further missing', async (t) => {
  const stream = new IncomingStream('i')
  stream.exists(3)
  t.equal(stream.toAsk(1_000), 0)
  t.equal(stream.toAsk(1_100, true), undefined)
  t.equal(stream.toAsk(1_300), 0)
  stream.take(place(1), 10)
  t.equal(stream.toAsk(1_310), undefined)
  t.equal(stream.toAsk(1_310, true), 1)
  t.equal(stream.toAsk(1_559), 1, 'again at the next look, which may be a little early')
})

t.test('what was given up is missed once, and waited for no longer', async (t) => {
  const stream = new IncomingStream('i')
  stream.take(place(1), 10)
  t.notOk(stream.missed(place(2, 2)))
  t.ok(stream.missed(place(6, 5)))
  t.notOk(stream.missed(place(6, 5)))
  t.ok(stream.take(place(5, 5), 10))
})

t.test('it confirms now and then, at once after many or much, and once more what came twice', async (t) => {
  const stream = new IncomingStream('i')
  t.equal(stream.toConfirm(true), undefined, 'there is nothing to confirm')
  stream.take(place(1), 10)
  t.equal(stream.toConfirm(false), undefined)
  t.equal(stream.toConfirm(true), 1)
  t.equal(stream.toConfirm(true), undefined)
  stream.take(place(1), 10)
  t.equal(stream.toConfirm(true), 1)
  for (let number = 2; number < 65; number++) stream.take(place(number), 10)
  t.equal(stream.toConfirm(false), undefined)
  stream.take(place(65), 10)
  t.equal(stream.toConfirm(false), 65)
  stream.take(place(66), 300_000)
  t.equal(stream.toConfirm(false), 66)
})
