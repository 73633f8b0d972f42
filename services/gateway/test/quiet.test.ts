import t from 'tap'
import { Quiet } from '../src/quiet.ts'

function setup() {
  const state = { connections: 0, busy: 0, heapMib: 50, collected: 0 }
  const quiet = new Quiet({
    connections: () => state.connections,
    busy: () => state.busy,
    heapMib: () => state.heapMib,
    collect: () => {
      state.collected += 1
    },
  })
  return { state, quiet }
}

t.test('what many new connections leave behind is collected once, when it is quiet', async (t) => {
  const { state, quiet } = setup()
  Object.assign(state, { connections: 2_000, busy: 0.9 })
  t.notOk(quiet.look(), 'not while they come')
  state.busy = 0.05
  t.ok(quiet.look())
  t.notOk(quiet.look(), 'there is nothing new')
  state.connections = 2_900
  t.notOk(quiet.look(), 'for a few it does not pay')
  state.connections = 500
  t.ok(quiet.look(), 'many have gone')
  t.equal(state.collected, 2)
})

t.test('of very many connections a thousand more are few', async (t) => {
  const { state, quiet } = setup()
  state.connections = 20_000
  t.ok(quiet.look())
  state.connections = 22_000
  t.notOk(quiet.look())
  state.connections = 26_000
  t.ok(quiet.look())
})

t.test('a heap that would take long is left as it is', async (t) => {
  const { state, quiet } = setup()
  Object.assign(state, { connections: 50_000, heapMib: 400 })
  t.notOk(quiet.look())
  t.equal(state.collected, 0)
})
