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

/** A process whose stop takes for ever (`hang`) or no time at all. */
async function processThat(stops: 'cleanly' | 'hangs') {
  const program = `
    import { createLogger, runUntilSignal } from '${new URL('../src/index.ts', import.meta.url).href}'
    const stop = () => ${stops === 'hangs' ? 'new Promise(() => {})' : 'Promise.resolve()'}
    setInterval(() => {}, 1000)
    const start = async () => { setImmediate(() => console.log('up')); return { stop } }
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
