import { createLogger } from '@qunxin/runtime'
import t from 'tap'
import { LastActivity } from '../../src/partition/last-activity.ts'
import type { Conversations } from '../../src/store/conversations.ts'
import { message } from '../sample.ts'

const logger = createLogger('test', 'silent')

type Hints = Parameters<Conversations['touch']>[0]

function setup(touch: (hints: Hints) => Promise<void> = async () => {}) {
  const written: Hints[] = []
  const activity = new LastActivity(
    {
      touch: (hints) => {
        written.push(hints)
        return touch(hints)
      },
    },
    logger,
  )
  t.teardown(() => activity.stop())
  return { activity, written }
}
const of = (peer: number, seq: number) => message({ conversation: `p1-${peer}`, seq, at: seq })

t.test(
  'the newest time of each personal conversation is written, in the order of waiting; groups have none',
  async (t) => {
    const { activity, written } = setup()
    activity.stored([of(2, 1), of(3, 2), message({ group: '5', seq: 1 })])
    activity.stored([of(2, 3)])
    await activity.flush()
    t.same(written, [
      [
        { conversation: 'p1-2', at: 3 },
        { conversation: 'p1-3', at: 2 },
      ],
    ])
  },
)

t.test('a flush writes so many, those that wait longest; a stop all', async (t) => {
  const { activity, written } = setup()
  for (let peer = 2; peer < 1_202; peer++) activity.stored([of(peer, 1)])
  await activity.flush()
  t.same([written[0]?.length, written[0]?.[0]?.conversation], [500, 'p1-2'])
  activity.stored([of(2, 9)])
  await activity.stop()
  t.same(
    written.map(({ length }) => length),
    [500, 500, 201],
  )
  t.same(written[2]?.at(-1), { conversation: 'p1-2', at: 9 })
})

t.test('what a database that is away did not take waits on, and newer times are not set back', async (t) => {
  let isAway = true
  const { activity, written } = setup(() => (isAway ? Promise.reject(new Error('no primary')) : Promise.resolve()))
  activity.stored([of(2, 1), of(3, 1)])
  const flushing = activity.flush()
  activity.stored([of(2, 5)])
  await flushing
  isAway = false
  await activity.flush()
  t.same(written[1], [
    { conversation: 'p1-2', at: 5 },
    { conversation: 'p1-3', at: 1 },
  ])
  await activity.flush()
  t.same(written[2], [])
})

t.test('a stop while the database is away ends all the same', async (t) => {
  const { activity, written } = setup(() => Promise.reject(new Error('no primary')))
  activity.stored([of(2, 1)])
  await activity.flush()
  await activity.stop()
  t.equal(written.length, 2)
})
