import t from 'tap'
import { rows } from '../load/profiles.ts'
import { lineOf, runRow } from '../load/run-row.ts'

t.setTimeout(10 * 60_000)

for (const row of rows)
  t.test(`row ${row.number} of the fault table: ${row.fault}`, async (t) => {
    const result = await runRow(row, { size: 'ci', progress: (line) => t.comment(line) })
    t.comment(lineOf(row, result))
    const { clean, violations, examples } = result.verdict
    t.ok(clean, 'the checker found nothing', { seed: result.seed, violations, examples })
    for (const { what, limit, found, held } of result.bounds ?? [])
      t.ok(held, `${what}: ${limit}`, { seed: result.seed, found })
  })
