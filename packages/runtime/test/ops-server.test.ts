import t from 'tap'
import { createMetrics, Readiness, startOpsServer } from '../src/index.ts'

t.test('the ops port tells life, readiness with its reasons, and metrics', async (t) => {
  const readiness = new Readiness({ nats: 'not connected yet' })
  const ops = await startOpsServer({ host: '127.0.0.1', port: 0, readiness, metrics: createMetrics('test') })
  t.teardown(() => ops.stop())

  t.equal((await fetch(`${ops.url}/livez`)).status, 200)
  const waiting = await fetch(`${ops.url}/readyz`)
  t.equal(waiting.status, 503)
  t.same(await waiting.json(), { ready: false, waitingFor: { nats: 'not connected yet' } })
  readiness.met('nats')
  t.equal((await fetch(`${ops.url}/readyz`)).status, 200)
  t.match(await (await fetch(`${ops.url}/metrics`)).text(), /process_cpu_user_seconds_total\{service="test"\}/)
  t.equal((await fetch(`${ops.url}/`)).status, 404)
})
