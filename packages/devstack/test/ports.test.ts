import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { freePort, portIsFree, requireFreePort } from '../src/ports.ts'

async function occupy(t: Test, host: string): Promise<number> {
  const port = await freePort()
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(port, host, resolve))
  t.teardown(() => server.close())
  return port
}

t.test('a taken port is refused with its number, who needs it and the setting that changes it', async (t) => {
  for (const host of ['127.0.0.1', '0.0.0.0']) {
    const port = await occupy(t, host)
    const message = new RegExp(`Port ${port} is taken, and gateway-1 needs it.*PORT=`)
    await t.rejects(requireFreePort(port, { what: 'gateway-1', setting: 'PORT' }), { name: 'SetupError', message })
  }
})

t.test('a free port is accepted, and the preferred one is taken when it is free', async (t) => {
  const port = await freePort()
  await requireFreePort(port, { what: 'gateway-1', setting: 'PORT' })
  t.equal(await freePort(port), port)
  const taken = await occupy(t, '127.0.0.1')
  t.not(await freePort(taken), taken)
})

t.test('two askers at once get different ports, all of them free', async (t) => {
  const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()))
  t.equal(new Set(ports).size, 20)
  for (const port of ports) t.ok(await portIsFree(port))
})
