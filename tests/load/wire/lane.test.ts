import t from 'tap'
import { eventually } from '../../eventually.ts'
import { type Entry, Lane } from './lane.ts'
import { Outgoing } from './outgoing.ts'

/** A lane whose connection takes everything while it is there; `written`: attempts, in the order they went out. */
function laneOf() {
  const written: number[] = []
  const connection = { isThere: true }
  const lane: Lane = new Lane({
    conversation: 0,
    outgoing: new Outgoing({ run: 'run', userId: 42, conversation: 'p7-42' }),
    write({ attempt }) {
      if (connection.isThere) written.push(attempt)
      return connection.isThere
    },
  })
  const add = (attempt: number, now = 1, giveUpAt = 1_000_000) =>
    lane.add({ attempt, units: 0, lane, settled: undefined, giveUpAt, sentAt: 0 }, now)
  return { lane, written, connection, add }
}

const attempts = (entries: readonly Entry[]) => entries.map(({ attempt }) => attempt)

t.test(
  'an answer that does not come in 8 s is lost: the message goes out again, and what came behind it waits',
  async (t) => {
    const { lane, written, add } = laneOf()
    add(0, 1_000)
    add(1, 5_000)
    t.same(lane.tick(8_999), [])
    t.same(lane.tick(9_000), [])
    add(2, 9_000)
    t.same(written, [0, 1])
    t.equal(lane.acknowledged(1, 9_001)?.attempt, 1)
    await eventually(() => written.length === 4, 'it went out again')
    t.same(written, [0, 1, 0, 2])
    t.equal(lane.acknowledged(1, 9_002), undefined, 'settled before')
  },
)

t.test('what is too old is given up, on its way or not', async (t) => {
  const { lane, written, connection, add } = laneOf()
  add(0, 100, 2_000)
  connection.isThere = false
  add(1, 100, 3_000)
  t.same(attempts(lane.tick(1_999)), [])
  t.same(attempts(lane.tick(2_000)), [0])
  t.same(attempts(lane.tick(3_000)), [1])
  t.same([lane.size, written], [0, [0]])
})

t.test('who is told when to come again does so one by one; later than it is given up is never', async (t) => {
  const { lane, written, add } = laneOf()
  const now = performance.now()
  for (const attempt of [0, 1, 2]) add(attempt, now, now + 60_000)
  t.equal(lane.refused(0, 60_000, now)?.attempt, 0, 'too late for it')
  t.equal(lane.refused(1, 10, now), undefined)
  t.equal(lane.refused(2, 10, now), undefined)
  add(3, now, now + 60_000)
  t.same(written, [0, 1, 2])
  await eventually(() => written.length === 4, 'it went out again')
  t.ok(performance.now() - now >= 1_000, 'no sooner than a flood is over')
  t.same(written, [0, 1, 2, 1])
  lane.acknowledged(1, now)
  t.same(written, [0, 1, 2, 1, 2, 3])
})

t.test(
  'a new connection is sent everything at once, no more of it on its way than the window has room for',
  async (t) => {
    const { lane, written, connection, add } = laneOf()
    for (let attempt = 0; attempt < 150; attempt++) add(attempt)
    t.equal(written.length, 100)
    lane.refused(0, 0, 2)
    connection.isThere = false
    lane.connectionLost()
    written.length = 0
    connection.isThere = true
    lane.sendAll()
    t.same(
      written,
      Array.from({ length: 100 }, (_, attempt) => attempt),
    )
    lane.acknowledged(0, 3)
    t.equal(written.at(-1), 100)
    t.equal(lane.close().length, 149)
  },
)
