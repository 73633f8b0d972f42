import t from 'tap'
import { connectionId, newNodeId } from '../src/index.ts'

t.test('connection ids sort by the time they were made, across decades', async (t) => {
  const times = [1_000, 1_600_000_000_000, Date.now(), Date.now() + 1, 4_102_444_800_000]
  const ids = times.map((time) => connectionId(time))
  t.same(ids.toSorted(), ids)
})

t.test('a node id is one token of a NATS subject and differs at every start', async (t) => {
  const ids = Array.from({ length: 100 }, () => newNodeId('gateway.0 eu>'))
  t.equal(new Set(ids).size, 100)
  for (const id of ids) t.match(id, /^gateway-0-eu--[a-z0-9]+$/)
})
