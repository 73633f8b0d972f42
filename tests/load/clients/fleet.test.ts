import t, { type Test } from 'tap'
import { fakeGateway } from '../../../packages/client/test/fake-gateway.ts'
import { eventually } from '../../eventually.ts'
import { History } from '../history.ts'
import { Fleet } from './fleet.ts'
import { LoadClient } from './load-client.ts'
import { Watcher } from './watcher.ts'
import { WireClient } from './wire-client.ts'

/** A fleet of one, bound to a gateway whose part the test plays. */
async function fleetOf(t: Test, sdk: boolean) {
  const gateway = await fakeGateway(t)
  const history = new History('run')
  const target = { urls: [gateway.url], authSecret: 'secret' }
  const fleet = new Fleet({ target, history, watcher: new Watcher(history), pingEveryMs: 0, sdk, progress() {} })
  t.teardown(() => fleet.close())
  const connecting = fleet.connect(1)
  const connection = await gateway.connection()
  await connection.bind()
  const [client] = await connecting
  return { fleet, client, connection }
}

t.test('clients are the SDK where that is asked for', async (t) => {
  for (const [sdk, kind] of [
    [true, LoadClient],
    [false, WireClient],
  ] as const) {
    const { client, fleet } = await fleetOf(t, sdk)
    t.ok(client instanceof kind)
    t.same(fleet.away, [])
  }
})

t.test('a client that was sent what it does not understand is no part of a run that goes on', async (t) => {
  const { fleet, client, connection } = await fleetOf(t, false)
  connection.socket.send('nothing of the kind')
  await eventually(() => client?.ended !== undefined, 'it has ended')
  t.throws(() => fleet.noneEnded(), { message: /was closed for good: what is no frame: nothing of the kind/ })
  t.throws(() => fleet.away, { message: /closed for good/ })
})
