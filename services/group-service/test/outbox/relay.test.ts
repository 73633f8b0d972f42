import t from 'tap'
import { relayFacts } from '../../src/outbox/relay.ts'
import { MemoryOutbox } from '../../src/store/memory/memory-outbox.ts'
import type { OutboxFact } from '../../src/store/outbox.ts'

const to = (publish: (fact: OutboxFact) => Promise<void>) => ({ publish, current: () => 'one' })

const fact = (groupId: string, at: number): OutboxFact => ({
  id: `${groupId}:${at}`,
  what: 'updated',
  data: { at, groupId },
})

t.test('a fact leaves the outbox only after the stream has confirmed it', async (t) => {
  const outbox = new MemoryOutbox()
  outbox.add([fact('1', 1)])
  const confirmed = Promise.withResolvers<void>()
  const round = relayFacts(
    outbox,
    to(() => confirmed.promise),
  )
  await new Promise((resolve) => setImmediate(resolve))
  t.equal((await outbox.oldest(10)).length, 1)
  confirmed.resolve()
  await round
  t.same(await outbox.oldest(10), [])
})

t.test('behind a fact that fails, the later ones of its group wait, and other groups do not', async (t) => {
  const outbox = new MemoryOutbox()
  outbox.add([fact('1', 1), fact('1', 2), fact('1', 3), fact('2', 1), fact('2', 2)])
  const published: string[] = []
  const publish = async ({ id }: OutboxFact) => {
    if (id === '1:2') throw new Error('no ack')
    published.push(id)
  }
  await t.rejects(relayFacts(outbox, to(publish)), { message: 'no ack' })
  t.same(published.toSorted(), ['1:1', '2:1', '2:2'])
  t.same(
    (await outbox.oldest(10)).map(({ id }) => id),
    ['1:2', '1:3'],
  )
  await relayFacts(
    outbox,
    to(async ({ id }) => void published.push(id)),
  )
  t.same(published.slice(-2), ['1:2', '1:3'])
})

t.test('one round publishes more than a batch, each group in order', async (t) => {
  const outbox = new MemoryOutbox()
  for (let at = 1; at <= 700; at++) outbox.add([fact('1', at), fact('2', at)])
  const published = new Map<string, number[]>()
  const publish = async ({ data }: OutboxFact) => {
    published.set(data.groupId, [...(published.get(data.groupId) ?? []), data.at])
  }
  await relayFacts(outbox, to(publish))
  const inOrder = Array.from({ length: 700 }, (_, i) => i + 1)
  t.same(Object.fromEntries(published), { 1: inOrder, 2: inOrder })
  t.same(await outbox.oldest(10), [])
})

t.test('what a stream confirmed that is gone before the round ends counts as not published', async (t) => {
  const outbox = new MemoryOutbox()
  outbox.add([fact('1', 1), fact('2', 1)])
  let stream = 'one'
  const publish = async ({ id }: OutboxFact) => {
    if (id === '2:1') {
      await new Promise((resolve) => setImmediate(resolve))
      stream = 'two'
    }
  }
  await relayFacts(outbox, { publish, current: () => stream })
  t.same(
    (await outbox.oldest(10)).map(({ id }) => id),
    ['1:1'],
  )
})
