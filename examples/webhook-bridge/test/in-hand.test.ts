import type { JsMsg } from '@nats-io/jetstream'
import t from 'tap'
import { InHand } from '../src/in-hand.ts'

const event = (seq: number, done: string[] = []) =>
  ({
    seq,
    ack: () => done.push(`ack ${seq}`),
    nak: () => done.push(`nak ${seq}`),
    working: () => done.push(`working ${seq}`),
  }) as unknown as JsMsg

const seqs = (inHand: InHand, count = 10) => inHand.oldest(count).map(({ seq }) => seq)
const isReady = (inHand: InHand) =>
  Promise.race([inHand.some().then(() => true), new Promise((resolve) => setImmediate(resolve, false))])

t.test('events are delivered in the order of the stream, in whatever order they come', async (t) => {
  const inHand = new InHand()
  t.notOk(await isReady(inHand))
  for (const seq of [3, 1, 2, 1]) inHand.add(event(seq))
  t.ok(await isReady(inHand))
  t.same(seqs(inHand, 2), [1, 2])
  t.equal(inHand.size, 3)
})

t.test('what is newer waits for what a process before had in hand', async (t) => {
  const inHand = new InHand()
  inHand.expect(2, 5, 60_000)
  inHand.add(event(6))
  inHand.add(event(4))
  t.notOk(await isReady(inHand))
  inHand.add(event(5))
  t.ok(await isReady(inHand))
  t.same(seqs(inHand), [4, 5, 6])
})

t.test('but not for ever', async (t) => {
  const inHand = new InHand()
  inHand.expect(1, 5, 10)
  inHand.add(event(6))
  t.notOk(await isReady(inHand))
  const alive = setInterval(() => {}, 1_000)
  await inHand.some()
  clearInterval(alive)
  t.same(seqs(inHand), [6])
})

t.test('each event is answered once: taken or given back', async (t) => {
  const inHand = new InHand()
  const done: string[] = []
  for (const seq of [1, 2, 3]) inHand.add(event(seq, done))
  inHand.working()
  inHand.ack(inHand.oldest(2))
  inHand.giveBack()
  t.same(done, ['working 1', 'working 2', 'working 3', 'ack 1', 'ack 2', 'nak 3'])
  inHand.close()
  t.ok(await isReady(inHand), 'nobody waits after the end')
})
