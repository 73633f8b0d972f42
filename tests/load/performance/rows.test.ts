import t from 'tap'
import { findScenario, settingsOf } from '../run.ts'
import { readPerformanceOptions } from './command.ts'
import { performanceRows } from './rows.ts'

t.test('every row can be run, and no two have the same name', async (t) => {
  for (const { name, scenario, settings } of performanceRows)
    t.doesNotThrow(() => settingsOf(findScenario(scenario), settings), name)
  t.equal(new Set(performanceRows.map(({ name }) => name)).size, performanceRows.length)
})

t.test('groups that grow are compared at the same deliveries a second', async (t) => {
  const groups = performanceRows.filter(({ growth }) => growth?.kind === 'online')
  t.equal(groups.length, 3)
  for (const { settings } of groups) {
    const deliveries = Number(settings.rate) * (Number(settings.online) - 1)
    t.ok(Math.abs(deliveries / 3_980 - 1) < 0.01, `${deliveries}`)
  }
})

t.test('rows are chosen by name; without a name it is all of them, five times', async (t) => {
  t.match(readPerformanceOptions([]), {
    chosen: performanceRows,
    times: 5,
    write: false,
    out: '.data/load/performance',
  })
  t.match(readPerformanceOptions(['--row', 'idle', '--row', 'storm', '--times', '0', '--write']), {
    chosen: [{ name: 'idle' }, { name: 'storm' }],
    times: 0,
    write: true,
  })
  t.equal(readPerformanceOptions(['--help']), undefined)
  t.throws(() => readPerformanceOptions(['--row', 'fast']), { message: /has the rows pairs-4, .*, not "fast"$/ })
  t.throws(() => readPerformanceOptions(['--times', 'often']), { message: '--times is a whole number, not "often"' })
})
