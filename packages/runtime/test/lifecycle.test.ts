import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { createLogger, drain } from '../src/index.ts'

const logger = createLogger('test', 'silent')

t.test('phases run in order, and one that fails or hangs does not keep the next from running', async (t) => {
  const ran: string[] = []
  await drain(
    [
      { name: 'first', limitMs: 1000, run: () => void ran.push('first') },
      { name: 'fails', limitMs: 1000, run: () => Promise.reject(new Error('no')) },
      { name: 'hangs', limitMs: 10, run: () => new Promise(() => {}) },
      { name: 'last', limitMs: 1000, run: async () => void ran.push('last') },
    ],
    logger,
  )
  t.same(ran, ['first', 'last'])
})

t.test('together they keep within their time, and the last ones run all the same', async (t) => {
  const ran: string[] = []
  const hangs = (name: string) => ({
    name,
    limitMs: 60_000,
    run: () => {
      ran.push(name)
      return new Promise<void>(() => {})
    },
  })
  const last = { name: 'last', limitMs: 60_000, run: () => void ran.push('last') }
  await drain([hangs('one'), hangs('two'), last], logger, 600)
  t.same(ran, ['one', 'two', 'last'])
})

/** A process whose stop takes for ever or no time at all, or which never gets as far as that. */
async function processThat(stops: 'cleanly' | 'hangs' | 'is still starting') {
  const program = `
    import { createLogger, runUntilSignal } from '${new URL('../src/index.ts', import.meta.url).href}'
    const stop = () => ${stops === 'hangs' ? 'new Promise(() => {})' : 'Promise.resolve()'}
    setInterval(() => {}, 1000)
    const start = async () => {
      setImmediate(() => console.log('up'))
      if (${stops === 'is still starting'}) await new Promise(() => {})
      return { stop }
    }
    process.exit(await runUntilSignal(start, { logger: createLogger('test', 'silent'), drainTimeoutMs: 60_000 }))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return child
}

t.test('SIGTERM stops a service, which ends with 0', async (t) => {
  const child = await processThat('cleanly')
  child.kill('SIGTERM')
  t.same((await once(child, 'exit'))[0], 0)
})

t.test('a second signal ends at once, with a code of its own', async (t) => {
  const child = await processThat('hangs')
  child.kill('SIGTERM')
  const again = setInterval(() => child.kill('SIGTERM'), 20)
  const [code] = await once(child, 'exit')
  clearInterval(again)
  t.equal(code, 130)
})

t.test('a service that is still starting, and does not hear that it is to stop, ends with 0', async (t) => {
  const child = await processThat('is still starting')
  child.kill('SIGTERM')
  t.same((await once(child, 'exit'))[0], 0)
})
