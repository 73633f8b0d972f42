import { decodeDelivery, type FrameItem } from '@qunxin/contracts'
import { createLogger } from '@qunxin/runtime'
import t from 'tap'
import type { Publication } from '../../src/fanout/compose.ts'
import { Fanout, type FanoutOptions } from '../../src/fanout/fanout.ts'
import { everywhere } from '../../src/fanout/routes.ts'
import { accepted, audiencesBy, message, run } from '../sample.ts'

const logger = createLogger('test', 'silent')

function setup({ routes = everywhere(() => ['a']), ...options }: Partial<FanoutOptions> = {}) {
  const published: Publication[] = []
  const fanout = new Fanout({
    instance: 'i',
    routes,
    audiences: audiencesBy(routes),
    membersNow: async () => new Set(['1', '2']),
    behind: () => new Set(),
    connected: async () => {},
    publish: (publication) => published.push(publication),
    absences: { look() {} },
    logger,
    ...options,
  })
  const seqs = () =>
    published.flatMap((one) =>
      'reply' in one ? [] : decodeDelivery(one.payload).delivery.items.flatMap((item) => (item as FrameItem).seq ?? []),
    )
  return { fanout, published, seqs }
}
const job = (seq: number, group?: string) => {
  const answered = { run: run('a'), answer: accepted(seq, seq) }
  return [{ frame: { message: message({ seq, ...(group && { group }) }), except: '', again: false }, answered }]
}

t.test('jobs go out in order, also when an earlier one takes longer', async (t) => {
  const slow = Promise.withResolvers<void>()
  const { fanout, seqs } = setup({
    membersNow: async () => {
      await slow.promise
      return new Set(['1'])
    },
  })
  fanout.push(job(1, '5'))
  fanout.push(job(2))
  slow.resolve()
  await fanout.idle()
  t.same(seqs(), [1, 2])
})

t.test('nothing is published while NATS is away', async (t) => {
  const back = Promise.withResolvers<void>()
  const { fanout, published, seqs } = setup({ connected: () => back.promise })
  fanout.push(job(1))
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(published.length, 0)
  back.resolve()
  await fanout.idle()
  t.same(seqs(), [1])
})

t.test('who was kicked while the routes were looked up gets nothing of it', async (t) => {
  const looking = Promise.withResolvers<void>()
  const found = Promise.withResolvers<void>()
  let members = new Set(['1', '2'])
  const { fanout, published } = setup({
    membersNow: async () => members,
    routes: {
      ...everywhere(() => ['a']),
      async nodesOf(users) {
        const routes = new Map([...users].map((user) => [user, new Set(['a'])] as const))
        looking.resolve()
        await found.promise
        return routes
      },
    },
  })
  fanout.push(job(1, '5'))
  await looking.promise
  members = new Set(['1', '3'])
  found.resolve()
  await fanout.idle()
  const receivers = published.flatMap((one) =>
    'reply' in one ? [] : decodeDelivery(one.payload).delivery.items.flatMap((item) => (item as FrameItem).users ?? []),
  )
  t.same(receivers, ['1', '3'], 'and who was added meanwhile is looked up too')
})

t.test('a job that fails is no longer under way, and the next one goes out', async (t) => {
  let failed = false
  const { fanout, seqs } = setup({
    membersNow: async () => {
      failed = true
      throw new Error('unexpected')
    },
  })
  const first = job(1, '5')
  fanout.push(first)
  fanout.push(job(2))
  await fanout.idle()
  t.ok(failed)
  t.equal(first[0]!.answered.run.unanswered, 0)
  t.same(seqs(), [2])
})

t.test('a lane waits when it is too far ahead', async (t) => {
  const back = Promise.withResolvers<void>()
  const { fanout } = setup({ connected: () => back.promise })
  for (let seq = 1; seq <= 7; seq++) fanout.push(job(seq))
  await fanout.room()
  fanout.push(job(8))
  let room = false
  const waiting = fanout.room().then(() => {
    room = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  t.notOk(room)
  back.resolve()
  await waiting
  t.ok(room)
})

t.test('who waits for what is on its way out does not wait for what comes later', async (t) => {
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const gates = [first.promise, second.promise]
  const { fanout, seqs } = setup({ connected: async () => gates.shift() })
  await fanout.out()
  fanout.push(job(1))
  const out = fanout.out()
  fanout.push(job(2))
  first.resolve()
  await out
  t.same(seqs(), [1])
  second.resolve()
})
