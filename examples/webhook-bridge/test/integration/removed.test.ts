import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import t, { type Test } from 'tap'
import { runBridge } from '../../src/bridge.ts'
import { readConfig } from '../../src/config.ts'
import { connectNats } from '../../src/consumer.ts'

t.setTimeout(60_000)

async function eventually(what: string, look: () => boolean | Promise<boolean>) {
  const until = performance.now() + 20_000
  while (!(await look())) {
    if (performance.now() > until) throw new Error(`never happened: ${what}`)
    await delay(10)
  }
}

/** A stream of its own, a webhook and a bridge between them. */
async function open(t: Test) {
  const { QUNXIN_TEST_NATS_URL: url = '' } = process.env
  if (url === '') throw new Error('QUNXIN_TEST_NATS_URL is not set')
  const name = `bridge${randomUUID().slice(0, 8)}`
  const nats = await connectNats(url, new AbortController().signal)
  const { streams, consumers } = await jetstreamManager(nats)
  const make = () => streams.add({ name, subjects: [`${name}.>`] })
  await make()

  const taken: string[] = []
  let holds = false
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    while (holds) await delay(5)
    taken.push(...JSON.parse(body).facts.map(({ fact }: { fact: { n: string } }) => fact.n))
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  const config = readConfig({
    NATS_URL: url,
    STREAM: name,
    SUBJECTS: `${name}.facts`,
    WEBHOOK_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    WEBHOOK_SECRET: randomUUID(),
    DEAD_LETTERS: join(t.testdir(), 'dead.jsonl'),
    BATCH_WAIT_MS: '1',
  })
  const over = new AbortController()
  const running = runBridge(config, over.signal)
  t.teardown(async () => {
    holds = false
    over.abort()
    await running
    server.closeAllConnections()
    server.close()
    await streams.delete(name)
    await nats.close()
  })
  const listens = () =>
    eventually('it listens', async () => {
      const consumer = await consumers.info(name, config.CONSUMER).catch(() => undefined)
      return (consumer?.num_waiting ?? 0) > 0
    })
  await listens()
  return {
    taken,
    listens,
    publish: (n: string) => jetstream(nats).publish(`${name}.facts`, JSON.stringify({ n })),
    takes: (...ns: string[]) => eventually(`${ns} taken`, () => ns.every((n) => taken.includes(n))),
    holds(whether: boolean) {
      holds = whether
    },
    inHand: (count: number) =>
      eventually(
        `${count} in hand`,
        async () => (await consumers.info(name, config.CONSUMER)).num_ack_pending === count,
      ),
    removePlace: () => consumers.delete(name, config.CONSUMER),
    async removeStream() {
      await streams.delete(name)
      await make()
    },
  }
}

t.test('what came while its place in the stream was removed is delivered', async (t) => {
  const { publish, takes, taken, removePlace } = await open(t)
  await publish('1')
  await takes('1')
  await removePlace()
  await publish('2')
  await takes('2')
  t.same(taken, ['1', '2'])
})

t.test('a stream made anew is delivered from its begin, behind what is in hand of the one before', async (t) => {
  const { publish, takes, taken, holds, inHand, removeStream, listens } = await open(t)
  await publish('1')
  await takes('1')
  holds(true)
  for (const n of ['2', '3', '4']) await publish(n)
  await inHand(3)
  await removeStream()
  for (const n of ['5', '6', '7', '8']) await publish(n)
  await listens()
  holds(false)
  await takes('2', '3', '4', '5', '6', '7', '8')
  t.same(taken, ['1', '2', '3', '4', '5', '6', '7', '8'])
})
