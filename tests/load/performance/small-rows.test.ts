import { isDeepStrictEqual } from 'node:util'
import type { ServiceKind } from '@qunxin/devstack'
import t from 'tap'
import { testSystem } from '../../system.ts'
import { findScenario, runScenario, settingsOf } from '../run.ts'
import type { Settings } from '../scenarios/scenario.ts'
import { targetOf } from '../target.ts'
import { type PerformanceRow, performanceRows } from './rows.ts'

/** Of a row that is run for its verdict and not for its figures. */
const MOST = {
  ...{ warmUp: 0.2, seconds: 1, pairs: 8, clients: 40, before: 40, connections: 130, online: 20 },
  ...{ calm: 0.3, every: 0.6, away: 0.2 },
}
const RATE = { least: 20, most: 200 }

const { system } = await testSystem(t, { gateways: 1, messageServices: 1 })

function small({ scenario, settings: given }: PerformanceRow): Settings {
  const settings = settingsOf(findScenario(scenario), given)
  const { rate = 0, members = 0, online = 0 } = settings
  for (const [name, most] of Object.entries(MOST))
    if (name in settings) settings[name] = Math.min(Number(settings[name]), most)
  if (rate) settings.rate = Math.min(Math.max(Number(rate), RATE.least), RATE.most)
  // As many of a group are away for each who is there.
  if (online) settings.members = (Number(members) / Number(online)) * Number(settings.online)
  return settings
}

/** With next to no load; those that are the same then only once, and those with more processes later. */
function smallRows(): PerformanceRow[] {
  const rows = performanceRows.map((row) => ({ ...row, settings: small(row) }))
  const whatOf = ({ scenario, settings, gateways }: PerformanceRow) => ({ scenario, settings, gateways })
  const isFirst = (row: PerformanceRow, i: number) =>
    rows.findIndex((one) => isDeepStrictEqual(whatOf(one), whatOf(row))) === i
  return rows.filter(isFirst).sort((one, other) => one.gateways - other.gateways)
}

async function grow(kind: ServiceKind, count: number): Promise<void> {
  const there = () => system.processes.filter(({ name }) => name.startsWith(kind)).length
  while (there() < count) await system.add(kind)
}

for (const row of smallRows())
  t.test(`row ${row.name} of the performance table, small: everything is where it belongs`, async (t) => {
    const { scenario, settings, gateways, messageServices } = row
    await grow('gateway', gateways)
    await grow('message-service', messageServices)
    const target = await targetOf(system)
    t.equal(target.urls.length, gateways)
    const progress = (line: string) => t.comment(line)
    const { counts, verdict, seed } = await runScenario(scenario, settings, { target, progress })
    t.ok(verdict.clean, 'the checker found nothing', { seed, examples: verdict.examples })
    t.ok(counts.acknowledged > 0 && verdict.checked.shown > 0, `${counts.acknowledged} acknowledged`)
    t.same({ refused: counts.refused, unknown: counts.unknown }, { refused: 0, unknown: 0 })
    t.equal(verdict.checked.stored, verdict.checked.acknowledged, 'everything stored was acknowledged')
  })
