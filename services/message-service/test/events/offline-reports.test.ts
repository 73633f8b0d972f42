import type { UserId } from '@qunxin/contracts'
import { createLogger } from '@qunxin/runtime'
import t from 'tap'
import { OfflineReports, type OfflineReportsOptions } from '../../src/events/offline-reports.ts'
import { message } from '../sample.ts'

const users = (count: number, from = 100): UserId[] => Array.from({ length: count }, (_, i) => String(from + i))

function setup(options: Partial<OfflineReportsOptions> = {}) {
  const told: { seq: number; users: readonly UserId[]; muted: readonly UserId[] }[] = []
  const counts = { offline: 0, letGo: 0 }
  const doubts: number[] = []
  const reports = new OfflineReports({
    events: {
      offline: ({ seq }, users, muted = []) => told.push({ seq, users, muted }),
      doubted: (since) => doubts.push(since),
    },
    mutedIn: async () => new Set(),
    metrics: {
      offline: (users) => {
        counts.offline += users
      },
      offlineLetGo: (users) => {
        counts.letGo += users
      },
    },
    logger: createLogger('test', 'silent'),
    ...options,
  })
  return { told, counts, doubts, reports }
}

t.test('everybody is told of once, in order, at most 500 at a time, with who muted the conversation', async (t) => {
  const { told, counts, reports } = setup({ mutedIn: async (id) => new Set(id === 'g5' ? ['100', '1099'] : []) })
  reports.report(message({ seq: 1, group: '5' }), users(9_000))
  reports.report(message({ seq: 2, group: '5' }), ['100', '7'])
  reports.report(message({ seq: 1 }), ['2'])
  await reports.idle()
  t.same(
    told.map(({ users }) => users.length),
    [...Array.from({ length: 18 }, () => 500), 2, 1],
  )
  t.same(
    told.slice(0, 18).flatMap((one) => one.users),
    users(9_000),
  )
  t.same(
    told.flatMap(({ muted }, i) => (muted.length > 0 ? [[i, muted]] : [])),
    [
      [0, ['100']],
      [1, ['1099']],
      [18, ['100']],
    ],
  )
  t.same(counts, { offline: 9_003, letGo: 0 })
  t.equal(reports.waiting, 0)
})

t.test('thousands who are away are told of in pieces, and others get a turn in between', async (t) => {
  const { told, reports } = setup()
  for (let seq = 1; seq <= 20; seq++) reports.report(message({ seq, group: '5' }), users(9_000))
  let most = 0
  let before = 0
  let turns = 0
  let over = false
  const look = () => {
    const now = told.reduce((sum, one) => sum + one.users.length, 0)
    most = Math.max(most, now - before)
    before = now
    turns += 1
    if (!over) setImmediate(look)
  }
  look()
  await reports.idle()
  over = true
  t.equal(
    told.reduce((sum, one) => sum + one.users.length, 0),
    180_000,
  )
  t.ok(most <= 2_500, `no more than ${most} in one turn of the event loop`)
  t.ok(turns >= 90)
})

t.test('when it cannot be read who muted what, nothing is told until it can', async (t) => {
  let away = true
  const asked = Promise.withResolvers<void>()
  const { told, reports } = setup({
    mutedIn: async () => {
      asked.resolve()
      if (away) throw new Error('no primary')
      return new Set(['2'])
    },
  })
  reports.report(message({ seq: 1, at: 77 }), ['2'])
  await asked.promise
  t.same(told, [])
  t.equal(reports.untoldSince, 77)
  away = false
  await reports.idle()
  t.same(told, [{ seq: 1, users: ['2'], muted: ['2'] }])
  t.equal(reports.untoldSince, Number.POSITIVE_INFINITY)
})

t.test('what waits is bounded: above it all of it is let go, to be read back from the log', async (t) => {
  const blocked = Promise.withResolvers<ReadonlySet<UserId>>()
  const { told, counts, doubts, reports } = setup({ mutedIn: () => blocked.promise })
  const all = users(1_000_000)
  for (let seq = 1; seq <= 6; seq++) reports.report(message({ seq, group: '5', at: 70 + seq }), all)
  t.same(doubts, [71], 'from the oldest one on')
  t.same(counts, { offline: 0, letGo: 6_000_000 })
  t.equal(reports.waiting, 0)
  reports.report(message({ seq: 7 }), ['2'])
  blocked.resolve(new Set())
  await reports.idle()
  t.same(told, [{ seq: 7, users: ['2'], muted: [] }], 'and it goes on')
})

t.test('a stop ends it, and it is known what is not told', async (t) => {
  const { told, reports } = setup({ mutedIn: async () => Promise.reject(new Error('no primary')) })
  reports.report(message({ seq: 1, at: 77 }), ['2'])
  reports.stop()
  await reports.idle()
  t.same(told, [])
  t.equal(reports.untoldSince, 77)
})
