import { BATCH_LIMITS, decodeBatch, type SendBatch } from '@qunxin/contracts'
import t from 'tap'
import { PartitionBatcher } from '../../src/send/partition-batcher.ts'
import type { PendingSend } from '../../src/send/pending-send.ts'

let lastId = 0

function send(changed: { conn?: string; conversation?: string; expiresAt?: number; text?: string } = {}): PendingSend {
  const { conn = 'c1', conversation = 'p1-2', expiresAt = 5_000, text = 'x' } = changed
  const entry = { id: ++lastId, conn, conversation, from: '1', to: '2', msgId: `m${lastId}`, type: 1 as const, text }
  return { entry, bytes: JSON.stringify(entry).length, expiresAt, done: () => {}, open: true }
}

function batcher(options: { away?: boolean } = {}) {
  const published: SendBatch[] = []
  const state = { away: options.away ?? false }
  const publish = (payload: Uint8Array) => {
    if (!state.away) published.push(decodeBatch(payload))
    return !state.away
  }
  const made = new PartitionBatcher({ node: 'n1', publish })
  const add = (...sends: PendingSend[]) => {
    for (const one of sends) made.add(one)
    return sends.map(({ entry }) => entry.id)
  }
  const answer = (one: PendingSend) => {
    one.open = false
    made.answered()
    made.advance(0)
  }
  return { made, published, state, add, answer }
}

const ids = (batch: SendBatch | undefined) => batch?.sends.map(({ id }) => id)

t.test('one batch at a time; the next goes out when the last send of it is answered', async (t) => {
  const { made, published, add, answer } = batcher()
  const [one, two, three] = [send(), send(), send()]
  add(one, two)
  made.advance(0)
  add(three)
  made.advance(0)
  answer(one)
  t.equal(published.length, 1)
  answer(two)
  t.same(published.map(ids), [[one.entry.id, two.entry.id], [three.entry.id]])
  t.same(
    published.map(({ batch }) => batch),
    [1, 2],
  )
})

t.test('a batch keeps to both limits, and a send larger than the limit still goes', async (t) => {
  const { made, published, add } = batcher()
  const many = Array.from({ length: BATCH_LIMITS.entries + 1 }, () => send())
  add(...many)
  made.advance(0)
  t.equal(published[0]?.sends.length, BATCH_LIMITS.entries)

  const large = batcher()
  const text = 'y'.repeat(BATCH_LIMITS.bytes / 2)
  const sends = [send({ text: text.repeat(3) }), send({ text }), send({ text })]
  large.add(...sends)
  large.made.advance(0)
  for (const one of sends) large.answer(one)
  t.same(
    large.published.map(({ sends }) => sends.length),
    [1, 1, 1],
  )
})

t.test('a repeat has no send that was answered or has expired', async (t) => {
  const { made, published, add, answer } = batcher()
  const [one, two, three] = [send({ expiresAt: 10 }), send({ conn: 'c2' }), send({ conn: 'c3' })]
  add(one, two, three)
  made.advance(0)
  answer(two)
  made.expire(10)
  made.repeat(0, 500)
  t.same(published.map(ids), [[one.entry.id, two.entry.id, three.entry.id], [three.entry.id]])
  t.same(
    published.map(({ batch }) => batch),
    [1, 1],
  )
})

t.test('a repeat is the same batch, as often as it takes, and not before its time', async (t) => {
  const { made, published, add } = batcher()
  add(send())
  made.advance(100)
  made.repeat(99, 150)
  t.equal(published.length, 1)
  made.repeat(100, 600)
  made.repeat(100, 700)
  t.equal(published.length, 2)
  t.same(published[1], published[0])
})

t.test('a batch made while NATS is away goes out with the first repeat', async (t) => {
  const { made, published, state, add } = batcher({ away: true })
  add(send())
  made.advance(100)
  t.same(published, [])
  state.away = false
  made.repeat(0, 200)
  t.equal(published.length, 1)
})

t.test('with what expires end the later sends of its connection into its conversation, published or not', async (t) => {
  const { made, published, add } = batcher()
  const first = send({ expiresAt: 10 })
  const published2 = send({ expiresAt: 20 })
  add(first, published2)
  made.advance(0)
  const queued = send({ expiresAt: 30 })
  const [device, elsewhere] = [send({ conn: 'c2', expiresAt: 30 }), send({ conversation: 'p1-3', expiresAt: 30 })]
  add(queued, device, elsewhere)
  const ended = made.expire(10).map(({ pending, code }) => `${pending.entry.id} ${code}`)
  t.same(
    ended,
    [first, published2, queued].map(({ entry }) => `${entry.id} TIMEOUT`),
  )
  made.advance(11)
  t.same(ids(published[1]), [device.entry.id, elsewhere.entry.id])
})

t.test('sends of no connection stand in no row', async (t) => {
  const { made, add } = batcher()
  const [http, later] = [send({ conn: '', expiresAt: 10 }), send({ conn: '', expiresAt: 20 })]
  add(http, later)
  t.same(
    made.expire(10).map(({ pending }) => pending.entry.id),
    [http.entry.id],
  )
  t.same(made.endBehind(http, 'UNAVAILABLE'), [])
})
