import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { fastify } from 'fastify'
import t from 'tap'
import { limitBodies } from '../../src/http/body-budget.ts'

t.test('bodies of requests under way take so much together, and what is over gives its room back', async (t) => {
  const app = fastify({ bodyLimit: 1_000 })
  const held = Promise.withResolvers<void>()
  limitBodies(app, { bodyLimit: 1_000, total: 2_500 })
  app.post('/', async () => {
    await held.promise
    return 'done'
  })
  app.get('/', async () => 'nothing to hold')
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/`
  const post = (bytes: number) =>
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: `"${'x'.repeat(bytes - 2)}"` })

  // Announces a body and sends none of it.
  const slow = connect(port, '127.0.0.1')
  slow.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n')
  await once(slow, 'connect')
  const taken = post(1_000)
  const refused = async () => (await post(1_000)).status === 500
  while (!(await refused())) await new Promise(setImmediate)
  t.equal((await fetch(url)).status, 200, 'what has no body is not concerned')

  slow.destroy()
  held.resolve()
  t.equal((await taken).status, 200)
  while ((await Promise.all([post(1_000), post(1_000)])).some(({ status }) => status !== 200))
    await new Promise(setImmediate)
})
