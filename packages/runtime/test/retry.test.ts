import t from 'tap'
import { createLogger, untilAvailable } from '../src/index.ts'

const logger = createLogger('test', 'silent')

t.test('it tries until the server is there', async (t) => {
  let tries = 0
  const attempt = async () => {
    tries += 1
    if (tries < 4) throw new Error('connection refused')
    return 'there'
  }
  t.equal(await untilAvailable('a server', attempt, { logger, everyMs: 1 }), 'there')
  t.equal(tries, 4)
})

t.test('it gives up when the process is told to stop', async (t) => {
  const stop = new AbortController()
  const attempt = async () => {
    stop.abort()
    throw new Error('connection refused')
  }
  await t.rejects(untilAvailable('a server', attempt, { logger, signal: stop.signal, everyMs: 60_000 }), {
    name: 'AbortError',
  })
})
