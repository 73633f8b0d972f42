import { randomBytes } from 'node:crypto'
import { createLogger } from '@qunxin/runtime'
import t, { type Test } from 'tap'
import { connectBus, EventsStream, eventsStreamName } from '../../src/index.ts'

const url = process.env.QUNXIN_TEST_NATS_URL ?? 'nats://127.0.0.1:4222'
const logger = createLogger('test', 'silent')
const MAX_BYTES = 8 * 1024 * 1024

/** Processes of one service, which share what they know of the stream. */
async function open(t: Test) {
  const prefix = `t${randomBytes(5).toString('hex')}`
  const bus = await connectBus({ url, prefix, name: 'test', inboxPrefix: '_INBOX_test', logger })
  const { streams } = await bus.jetstreamManager()
  const name = eventsStreamName(prefix)
  t.teardown(async () => {
    await streams.delete(name).catch(() => {})
    await bus.close()
  })
  let created: string | undefined
  const known = {
    read: async () => created,
    write: async (value: string) => {
      created = value
    },
  }
  const process = (publishAgain: (arranged: boolean) => Promise<void> = async () => {}) =>
    new EventsStream(bus, { prefix, maxBytes: MAX_BYTES, known, publishAgain, logger })
  const count = async () => (await streams.info(name)).state.messages
  return { bus, streams, name, process, count }
}

t.test('the stream is named after the subjects', async (t) => {
  t.equal(eventsStreamName('im'), 'IM_EVENTS')
  t.equal(eventsStreamName('staging'), 'STAGING_EVENTS')
})

t.test('a repeat under the same id is taken and dropped', async (t) => {
  const { process, count } = await open(t)
  const stream = process()
  await Promise.all([1, 2, 3].map(() => stream.publish('event.message.stored', '[]', 'one')))
  await stream.publish('event.message.stored', '[]', 'two')
  t.equal(await count(), 2)
})

t.test(
  'a stream that is new is noticed, and by one process for all when none had published to the one before',
  async (t) => {
    const { process, streams, name } = await open(t)
    const noticed: string[] = []
    const [one, two] = ['one', 'two'].map((who) => process(async (arranged) => void noticed.push(`${who} ${arranged}`)))
    await one?.publish('event.message.stored', '[]', '1')
    await two?.publish('event.message.stored', '[]', '2')
    t.same(noticed, ['one false'], 'the second knows it from the first')
    await streams.delete(name)
    await t.rejects(one!.publish('event.message.stored', '[]', '3'))
    await one?.publish('event.message.stored', '[]', '3')
    await t.resolves(two!.publish('event.message.stored', '[]', '4'))
    t.same(noticed, ['one false', 'one false'])
  },
)

t.test('it is not remembered before what was published is arranged to be published again', async (t) => {
  const { process, count } = await open(t)
  let fails = true
  let arranged = 0
  const publishAgain = async () => {
    if (fails) throw new Error('away')
    arranged += 1
  }
  const stream = process(publishAgain)
  await t.rejects(stream.ready(), { message: 'away' })
  await t.rejects(process(publishAgain).publish('event.message.stored', '[]', '1'), { message: 'away' })
  fails = false
  await stream.ready()
  t.equal(arranged, 1)
  t.equal(await count(), 0)
})

t.test('a stream without a bound gets one, and keeps what else an operator chose', async (t) => {
  const { bus, process, streams, name } = await open(t)
  await streams.add({ name, subjects: [bus.subject('event.>')], storage: 'memory', max_age: 1e12 })
  await process().ready()
  const { max_bytes, discard, storage, max_age } = (await streams.info(name)).config
  t.same(
    { max_bytes, discard, storage, max_age },
    { max_bytes: MAX_BYTES, discard: 'old', storage: 'memory', max_age: 1e12 },
  )
  await streams.update(name, { max_bytes: 1_000_000 })
  await process().ready()
  t.equal((await streams.info(name)).config.max_bytes, 1_000_000, 'nor is a bound of his changed')
})
