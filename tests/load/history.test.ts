import { join } from 'node:path'
import t from 'tap'
import { check } from './check/check.ts'
import { play, smallStory } from './check/story.ts'
import { FOREIGN, History } from './history.ts'
import { loadHistory, saveHistory } from './history-file.ts'

t.test("a msgId leads back to its attempt, and one of nobody's to itself", async (t) => {
  const history = new History('run')
  const client = history.addClient(1)
  const conversation = history.conversation('p1-2')
  const ids = Array.from({ length: 40 }, () => history.attempt(client, conversation).msgId)
  t.same(
    ids.map((id) => history.attemptOf(id)),
    ids.map((_, i) => i),
  )
  for (const stray of ['run-zz', 'run-007', 'run-', 'other-1', 'RUN-1']) {
    const index = history.attemptOf(stray)
    t.ok(index >= FOREIGN, stray)
    t.equal(history.attemptOf(stray), index)
    t.equal(history.msgId(index), stray)
  }
})

t.test('texts are as long as asked for, and each is another', async (t) => {
  const history = new History('run')
  const texts = Array.from({ length: 500 }, () => history.attempt(0, 0, { units: 120 }).text)
  t.ok(texts.every(({ length }) => length === 120))
  t.equal(new Set(texts).size, 500)
  t.equal(history.attempt(0, 0, { units: 4_900 }).text.length, 4_900)
})

t.test('a kept history is judged as the one it was', async (t) => {
  const story = smallStory(3_000)
  story.connections[1]?.shown.splice(1_500, 2)
  const history = play(story)
  const path = join(t.testdir({}), 'a.history')
  await saveHistory(history, path)
  const again = check(await loadHistory(path))
  t.same(again, check(history))
  t.equal(again.violations.undelivered, 2)
})

t.test('a file that holds something else is refused', async (t) => {
  const path = join(t.testdir({ 'a.history': 'nothing of the kind' }), 'a.history')
  await t.rejects(loadHistory(path), { message: /does not hold the history of a run/ })
})
