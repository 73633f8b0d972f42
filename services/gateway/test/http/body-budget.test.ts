import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { AppError } from '@qunxin/runtime'
import { fastify } from 'fastify'
import t, { type Test } from 'tap'
import { limitBodies } from '../../src/http/body-budget.ts'

/** A server whose POST is answered when `hold` allows it. */
async function server(t: Test, options: { bodyLimit: number; total: number; hold?: Promise<void> }) {
  const { bodyLimit, total, hold } = options
  const app = fastify({ bodyLimit })
  const state = { begun: 0, handled: 0 }
  app.addHook('onRequest', async () => {
    state.begun += 1
  })
  limitBodies(app, { total })
  app.setErrorHandler((error, _request, reply) => reply.code(error instanceof AppError ? 503 : 400).send())
  app.post('/', async () => {
    state.handled += 1
    await hold
    return 'done'
  })
  app.get('/', async () => 'nothing to hold')
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/`
  const post = (bytes: number) =>
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: `"${'x'.repeat(bytes - 2)}"` })
  /** Announces 1,000 bytes and sends so many of them. */
  const slow = async (bytes: number, method = 'POST') => {
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    await once(socket, 'connect')
    const head = 'host: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n'
    socket.write(`${method} / HTTP/1.1\r\n${head}${'x'.repeat(bytes)}`)
    return socket
  }
  const until = async (is: () => boolean) => {
    while (!is()) await new Promise(setImmediate)
  }
  return { url, state, post, slow, until }
}

t.test('bodies of requests under way take so much together, and what is over gives its room back', async (t) => {
  const held = Promise.withResolvers<void>()
  const { url, state, post, slow, until } = await server(t, { bodyLimit: 1_000, total: 2_500, hold: held.promise })
  const stuck = await slow(999)
  const taken = post(1_000)
  await until(() => state.begun === 2 && state.handled === 1)
  const refused = async () => (await post(1_000)).status === 503
  while (!(await refused())) await new Promise(setImmediate)
  t.equal((await fetch(url)).status, 200, 'what has no body is not concerned')

  stuck.destroy()
  held.resolve()
  t.equal((await taken).status, 200)
  while ((await Promise.all([post(1_000), post(1_000)])).some(({ status }) => status !== 200))
    await new Promise(setImmediate)
})

t.test('a body counts whatever the method: one that no call has is read before that is told', async (t) => {
  const { post, slow } = await server(t, { bodyLimit: 1_000, total: 1_000 })
  const stuck = await slow(999, 'PUT')
  while ((await post(1_000)).status !== 503) await new Promise(setImmediate)
  stuck.destroy()
  while ((await post(1_000)).status !== 200) await new Promise(setImmediate)
})

t.test('a body that is announced and does not come takes no room', async (t) => {
  const { state, post, slow, until } = await server(t, { bodyLimit: 1_000, total: 1_000 })
  await Promise.all(Array.from({ length: 20 }, () => slow(0)))
  await until(() => state.begun === 20)
  t.equal((await post(1_000)).status, 200)
})

t.test('a body that nobody reads does not hold up the next request of its connection', async (t) => {
  const { url } = await server(t, { bodyLimit: 1024 * 1024, total: 1024 * 1024 })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const post = (path: string, type: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { 'content-type': type }
      request(new URL(path, url), { method: 'POST', agent, headers }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode))
      })
        .on('error', reject)
        .end(`"${'x'.repeat(900_000)}"`)
    })
  t.equal(await post('/', 'image/png'), 400)
  t.equal(await post('/nowhere', 'image/png'), 404)
  t.equal(await post('/', 'application/json'), 200)
  t.equal(await post('/', 'application/json'), 200, 'and has given its room back')
})
