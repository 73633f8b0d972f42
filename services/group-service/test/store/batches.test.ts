import t from 'tap'
import { Batches, type Outcome } from '../../src/store/batches.ts'

const options = { most: 3, longestWaitMs: 60_000, pauseMs: 0 }

/** Batches whose work is recorded and waits for `gate`. */
function recorded(gate: Promise<void>, given = options) {
  const log: [string, readonly string[]][] = []
  const batches = new Batches<string, string>(async (key, items) => {
    log.push([key, items])
    await gate
    return items.map((item): Outcome<string> => (item === 'bad' ? { error: new Error('no') } : { value: `${item}!` }))
  }, given)
  return { batches, log }
}

t.test('what comes while a batch is under way goes into the next together, in order', async (t) => {
  const gate = Promise.withResolvers<void>()
  const { batches, log } = recorded(gate.promise)
  const results = ['1', '2', '3', '4', '5'].map((item) => batches.run('a', item))
  t.same(log, [['a', ['1']]])
  gate.resolve()
  t.same(await Promise.all(results), ['1!', '2!', '3!', '4!', '5!'])
  t.same(log, [
    ['a', ['1']],
    ['a', ['2', '3', '4']],
    ['a', ['5']],
  ])
  t.equal(await batches.run('a', '6'), '6!', 'and it goes on after a rest')
})

t.test('another key does not wait', async (t) => {
  const gate = Promise.withResolvers<void>()
  const { batches, log } = recorded(gate.promise)
  const both = [batches.run('a', '1'), batches.run('b', '2')]
  t.same(log, [
    ['a', ['1']],
    ['b', ['2']],
  ])
  gate.resolve()
  await Promise.all(both)
})

t.test('an item that fails is its own caller’s matter', async (t) => {
  const { batches } = recorded(Promise.resolve())
  const first = batches.run('a', '1')
  const bad = t.rejects(batches.run('a', 'bad'), { message: 'no' })
  const other = batches.run('a', '2')
  t.same(await Promise.all([first, other]), ['1!', '2!'])
  await bad
})

t.test('work that fails as a whole fails every item, and the next batch runs', async (t) => {
  let fails = true
  const batches = new Batches<number, number>(async (_key, items) => {
    if (fails) throw new Error('away')
    return items.map((item) => ({ value: item }))
  }, options)
  await t.rejects(batches.run('a', 1), { message: 'away' })
  fails = false
  t.equal(await batches.run('a', 2), 2)
})

t.test('an item whose turn comes too late is not run', async (t) => {
  const gate = Promise.withResolvers<void>()
  const { batches, log } = recorded(gate.promise, { ...options, longestWaitMs: 1 })
  const first = batches.run('a', '1')
  const late = t.rejects(batches.run('a', '2'), { code: 'TIMEOUT' })
  const begun = performance.now()
  while (performance.now() - begun < 3);
  gate.resolve()
  t.equal(await first, '1!')
  await late
  t.same(log, [['a', ['1']]])
})
