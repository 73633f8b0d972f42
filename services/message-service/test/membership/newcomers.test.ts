import t from 'tap'
import { membersAt } from '../../src/membership/members.ts'
import { Newcomers } from '../../src/membership/newcomers.ts'

const UNPACED = { slowModeMs: 0, admins: new Set<string>() }

function setup(joinedSeq: [string, number][] = [], more: { history?: 'joined'; unplaced?: Set<string> } = {}) {
  const members = membersAt(1, new Set(['1', '2', '3']), { ...UNPACED, joinedSeq: new Map(joinedSeq), ...more })
  const newcomers = new Newcomers({ last: (group) => (group === '5' ? members : undefined) })
  const behind = (seq: number) => [...newcomers.behind('5', seq)].toSorted()
  return { newcomers, behind }
}

t.test('a message is for whoever came before it, as group-service tells it', async (t) => {
  const { behind, newcomers } = setup([
    ['2', 7],
    ['3', 9],
  ])
  t.same([6, 7, 8, 9, 10].map(behind), [['2', '3'], ['2', '3'], ['3'], ['3'], []])
  t.same([...newcomers.behind('6', 1)], [])
})

t.test('for who is just coming nothing is, until it is known where they came', async (t) => {
  const { newcomers, behind } = setup([['2', 7]])
  newcomers.coming('5', ['3'])
  t.same(behind(1_000), ['3'])
  newcomers.came('5', ['3'], 20)
  t.same([7, 20, 21].map(behind), [['2', '3'], ['3'], []])
})

t.test('who has gone, or came nobody knows where, is like the others', async (t) => {
  const { newcomers, behind } = setup()
  newcomers.coming('5', ['2', '3'])
  newcomers.forget('5', ['2'])
  t.same(behind(5), ['3'])
  newcomers.forget('5', ['3'])
  newcomers.forget('9', ['3'])
  t.same(behind(5), [])
})

t.test('the place told last counts', async (t) => {
  const { newcomers, behind } = setup([['2', 3]])
  newcomers.came('5', ['2'], 8)
  t.same([8, 9].map(behind), [['2'], []])
})

t.test('with history joined what stands before their coming is not for members to read', async (t) => {
  const readers = ({ newcomers }: ReturnType<typeof setup>, seq: number) =>
    ['1', '2', '3'].filter((user) => newcomers.mayRead('5', seq, user))
  const all = setup([['2', 7]], { unplaced: new Set(['3']) })
  t.same(readers(all, 1), ['1', '2', '3'])
  t.notOk(all.newcomers.mayRead('6', 1, '1'), 'of a group nothing is known of nothing')
  const joined = setup([['2', 7]], { history: 'joined', unplaced: new Set(['3']) })
  t.same(
    [7, 8].map((seq) => readers(joined, seq)),
    [['1'], ['1', '2']],
    'nor who came nobody knows where',
  )
  joined.newcomers.coming('5', ['3'])
  t.same(readers(joined, 1_000), ['1', '2'])
  joined.newcomers.came('5', ['3'], 8)
  t.same(
    [8, 9].map((seq) => readers(joined, seq)),
    [
      ['1', '2'],
      ['1', '2', '3'],
    ],
  )
})
