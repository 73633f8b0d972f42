import { mock } from 'node:test'
import t from 'tap'
import { nothingOutstanding } from '../../src/deliver/outstanding.ts'
import { Connection } from '../../src/socket/connection.ts'
import { Lifetimes } from '../../src/socket/lifetimes.ts'
import { Writer } from '../../src/socket/wire.ts'

t.beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }))
t.afterEach(() => {
  stop()
  mock.timers.reset()
})
let stop = () => {}

/** Connections of clients that acknowledge nothing, and how many pings each was sent. */
function setup(count: number) {
  const unconfirmed = new Set<Connection>()
  const arrived: string[] = []
  const lifetimes = new Lifetimes({
    pingEveryMs: 1_000_000,
    unconfirmed,
    receipts: { ponged: ({ userId }, ping) => void arrived.push(`${userId} ${ping}`) },
  })
  const pings = Array.from({ length: count }, () => 0)
  const shared = { writer: new Writer({ each: 1024, all: 1024 }), unconfirmed, ended() {} }
  const connections = pings.map((_, index) => {
    const socket = {} as Connection['socket']
    const connection = new Connection(socket, { language: 'zh', handshake: undefined, shared })
    connection.outstanding = nothingOutstanding(String(index))
    connection.write = () => {
      pings[index] = (pings[index] ?? 0) + 1
    }
    return connection
  })
  const pinged = () => pings.reduce((sum, one) => sum + one, 0)
  const wait = (ms: number) => {
    for (let left = ms; left > 0; left -= 250) mock.timers.tick(250)
  }
  stop = () => lifetimes.stop()
  return { lifetimes, connections, pings, pinged, wait, arrived }
}

t.test('what one user said to another gets a ping within 2 s, what was said in a group within 4', async (t) => {
  const { connections, pings, wait } = setup(3)
  connections[0]?.wrote('p1-2', 1)
  connections[1]?.wrote('g5', 1)
  wait(2_000)
  t.same(pings, [1, 0, 0])
  wait(1_750)
  t.same(pings, [1, 0, 0])
  wait(250)
  t.same(pings, [1, 1, 0], 'and who was sent nothing gets none')
  wait(8_000)
  t.same(pings, [1, 1, 0])
})

t.test('who has not answered a ping gets no other before it does, and then for what came meanwhile', async (t) => {
  const { lifetimes, connections, pings, wait, arrived } = setup(1)
  const [connection] = connections as [Connection]
  connection.wrote('p1-2', 1)
  wait(2_000)
  connection.wrote('p1-2', 2)
  wait(4_000)
  t.same(pings, [1])
  lifetimes.ponged(connection, 1)
  t.same(arrived, ['0 1'])
  if (connection.outstanding) connection.outstanding.pinged = undefined
  wait(2_000)
  t.same(pings, [2])
})

t.test('many are pinged some at a time, all of them within 5 s', async (t) => {
  const { connections, pings, pinged, wait } = setup(6_000)
  for (const connection of connections.slice(0, 1_200)) connection.wrote('g5', 1)
  wait(4_000)
  t.equal(pinged(), 500)
  wait(250)
  t.equal(pinged(), 1_000)
  wait(250)
  t.equal(pinged(), 1_200)
  for (const connection of connections) connection.wrote('g5', 2)
  for (const { outstanding } of connections) if (outstanding) outstanding.pinged = undefined
  wait(4_250)
  t.ok(pings.every((count) => count > 0))
  t.equal(pinged(), 7_200)
})
