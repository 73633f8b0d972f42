import t from 'tap'
import { Quiet } from '../src/quiet.ts'

function setup() {
  const state = { connections: 0, busy: 0, collected: 0 }
  const quiet = new Quiet({
    connections: () => state.connections,
    busy: () => state.busy,
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

t.test('of many connections a thousand more are few, and so many that it would take long are left alone', async (t) => {
  const { state, quiet } = setup()
  const looksAt = (connections: number) => {
    state.connections = connections
    return quiet.look()
  }
  t.ok(looksAt(15_000))
  t.notOk(looksAt(16_100))
  t.ok(looksAt(18_000))
  t.notOk(looksAt(25_000))
  t.ok(looksAt(5_000), 'when most have gone')
})
