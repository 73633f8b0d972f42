import t from 'tap'
import { ConversationCache } from '../../src/partition/conversations.ts'
import { pendingOf } from '../../src/partition/pending.ts'
import { entry, run } from '../sample.ts'

t.test('the one used longest ago goes first, and one with sends waiting stays', async (t) => {
  const cache = new ConversationCache(2)
  const busy = cache.use('a', 0)
  busy.queue.push(pendingOf(entry('1', '2'), run('n')))
  const old = cache.use('b', 0)
  const used = cache.use('c', 0)
  t.ok(old.dropped)
  t.notOk(used.dropped)
  t.equal(cache.use('a', 0), busy)
  cache.use('d', 0)
  t.equal(cache.peek('c'), undefined)
  t.equal(cache.peek('a'), busy)
})

t.test('what was asked for stays even when all others are busy', async (t) => {
  const cache = new ConversationCache(1)
  cache.use('a', 0).listed = true
  const fresh = cache.use('b', 0)
  t.notOk(fresh.dropped)
  t.equal(cache.peek('b'), fresh)
})

t.test('a partition is dropped with all its conversations and no other', async (t) => {
  const cache = new ConversationCache(10)
  cache.use('a', 0)
  cache.use('b', 1)
  t.same(
    cache.drop(0).map(({ id }) => id),
    ['a'],
  )
  t.ok(cache.peek('b'))
  cache.drop()
  t.equal(cache.size, 0)
})
