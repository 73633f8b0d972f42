import t from 'tap'
import { reconnectDelay } from '../src/backoff.ts'

t.test('delays double up to a limit, and no two clients come back in step', async (t) => {
  for (let failures = 0; failures < 20; failures++) {
    const longest = Math.min(30_000, 500 * 2 ** failures)
    const delays = Array.from({ length: 50 }, () => reconnectDelay(failures, 'reconnect'))
    t.ok(delays.every((delay) => delay >= longest / 2 && delay <= longest))
    t.ok(new Set(delays).size > 1)
  }
})

t.test('after flooding there is a pause first', async (t) => {
  t.ok(reconnectDelay(0, 'later') > 5_000)
})
