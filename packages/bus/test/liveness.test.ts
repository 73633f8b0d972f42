import { DEAD_AFTER_MS } from '@qunxin/contracts'
import t from 'tap'
import { Live } from '../src/liveness.ts'

function setup() {
  let changes = 0
  const live = new Live(() => {
    changes += 1
  })
  const start = performance.now()
  return { live, start, changes: () => changes }
}

t.test('who is silent too long counts as dead, once', async (t) => {
  const { live, start, changes } = setup()
  live.heard('a', start)
  live.heard('b', start)
  t.equal(changes(), 2)
  for (let at = 500; at <= DEAD_AFTER_MS + 500; at += 500) {
    live.heard('b', start + at)
    live.expire(start + at)
  }
  t.same(live.names(), ['b'])
  t.equal(changes(), 3)
})

t.test('who says that it leaves is gone at once', async (t) => {
  const { live, changes } = setup()
  live.heard('a')
  live.left('a')
  live.left('a')
  t.same(live.names(), [])
  t.equal(changes(), 2)
})

t.test('when we stood still ourselves nobody is dead for it, until they stay silent', async (t) => {
  const { live, start } = setup()
  live.heard('a', start)
  live.expire(start + 5_000)
  t.same(live.names(), ['a'])
  for (let at = 5_500; at <= 5_000 + DEAD_AFTER_MS + 500; at += 500) live.expire(start + at)
  t.same(live.names(), [])
})
