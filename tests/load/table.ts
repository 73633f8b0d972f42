import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { type Row, rowOf, rows, type Size } from './profiles.ts'
import { saveRun, saveSeries } from './report/save.ts'
import { type SeriesRun, seriesText } from './report/table.ts'
import { passed } from './report/violations.ts'
import { lineOf, runRow } from './run-row.ts'
import type { Interrupts } from './target.ts'
import { wholeNumber } from './whole-number.ts'

const DIRECTORY = '.data/load'

export const TABLE_HELP = `pnpm load table [--row n] [--full] [--times n] [--seed n] [--out directory]
Runs the rows of the fault table, each on a system of its own; exits with 1 when one did not pass.

${rows.map(({ number, fault }) => `  ${number}  ${fault}`).join('\n')}

  --row    only this one
  --full   the long profile instead of CI's
  --times  the whole table so often
  --seed   of the first run; the next ones count up. Made up when absent, and printed
  --out    where pages and JSON go (${DIRECTORY})
`

/** `pnpm load table`: one line for each run, at the end all of them. Returns the exit code. */
export async function tableCommand(
  args: readonly string[],
  { say, ...interrupts }: Interrupts & { say(line: string): void },
): Promise<number> {
  const options = readTableOptions(args)
  if (options === undefined) {
    say(TABLE_HELP)
    return 0
  }
  const { chosen, size, times, out } = options
  let { seed } = options
  const runs: SeriesRun[] = []
  for (let run = 1; run <= times; run++)
    for (const row of chosen) {
      const told: string[] = []
      const command = `pnpm load table --row ${row.number}${size === 'full' ? ' --full' : ''} --seed ${seed}`
      const progress = (line: string) => told.push(line)
      const result = { ...(await runRow(row, { size, seed: seed++, progress, ...interrupts })), command }
      say(lineOf(row, result))
      if (!passed(result)) for (const line of [...result.verdict.examples, ...told]) say(`    ${line}`)
      await saveRun(result, out, `row-${row.number}-${size}-${result.seed}`)
      runs.push({ fault: row.fault, run, result })
    }
  say(`\n${seriesText(runs)}`)
  say((await saveSeries(runs, out, `table-${size}`)).join('\n'))
  return runs.every(({ result }) => passed(result)) ? 0 : 1
}

/** Undefined when help is asked for. @throws TypeError for what is none of them */
export function readTableOptions(
  args: readonly string[],
): { chosen: readonly Row[]; size: Size; times: number; seed: number; out: string } | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      row: { type: 'string' },
      full: { type: 'boolean', default: false },
      times: { type: 'string', default: '1' },
      seed: { type: 'string', default: `${randomInt(2 ** 31)}` },
      out: { type: 'string', default: DIRECTORY },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  return {
    chosen: values.row === undefined ? rows : [rowOf(Number(values.row))],
    size: values.full ? 'full' : 'ci',
    times: wholeNumber('times', values.times),
    seed: wholeNumber('seed', values.seed),
    out: values.out,
  }
}
