import t from 'tap'
import { PairPreferences } from '../../src/preferences/pair-preferences.ts'
import type { Preference } from '../../src/store/preferences.ts'

const row = (user: string, conversation: string): Preference => ({
  user,
  conversation,
  version: 1,
  blocked: true,
  muted: false,
})

t.test('what is asked for in one turn is one question, and a later one is asked anew', async (t) => {
  const questions: string[][] = []
  const rows = [row('1', 'p1-2'), row('2', 'p1-2'), row('3', 'p1-3')]
  const preferences = new PairPreferences({
    async ofPairs(conversations) {
      questions.push([...conversations])
      return rows.filter(({ conversation }) => conversations.includes(conversation))
    },
  })
  const [both, one, again, none] = await Promise.all(['p1-2', 'p1-3', 'p1-2', 'p8-9'].map((id) => preferences.of(id)))
  t.same(both, rows.slice(0, 2))
  t.same(one, rows.slice(2))
  t.same(again, both)
  t.same(none, [])
  await preferences.of('p1-2')
  t.same(questions, [['p1-2', 'p1-3', 'p8-9'], ['p1-2']])
})

t.test('a question that fails is asked again by the next who asks', async (t) => {
  let away = true
  const preferences = new PairPreferences({
    async ofPairs() {
      if (away) throw new Error('away')
      return [row('1', 'p1-2')]
    },
  })
  await Promise.all([t.rejects(preferences.of('p1-2')), t.rejects(preferences.of('p1-3'))])
  away = false
  t.equal((await preferences.of('p1-2')).length, 1)
})
