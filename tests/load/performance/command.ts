import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { writeAll } from '../report/save.ts'
import { passed } from '../report/violations.ts'
import type { Interrupts } from '../target.ts'
import { wholeNumber } from '../whole-number.ts'
import { KeptRuns } from './kept-runs.ts'
import { type PerformanceRow, performanceRow, performanceRows } from './rows.ts'
import { runPerformanceRow } from './run-row.ts'
import { summaries } from './summary.ts'
import { lineOf, performanceText } from './text.ts'
import { writePerformance } from './write.ts'

const DIRECTORY = '.data/load/performance'
const DOCS = join(import.meta.dirname, '..', '..', '..', 'docs')
const TIMES = 5

export const PERFORMANCE_HELP = `pnpm load performance [--row name]... [--times n] [--write] [--out directory]
Measures the rows of the performance table, each run on a system of its own: without rate limits, everything else as it is by itself.
Exits with 1 when the checker found anything in a run. A target that is missed is said, and is no failure: it depends on the machine.

${performanceRows.map(({ name, says }) => `  ${name.padEnd(12)}  ${says}`).join('\n')}

  --row    only this one; may be repeated
  --times  runs of each (${TIMES}); 0: only shows, or writes, what was measured before
  --write  puts the table of all rows measured so far into docs/performance.md, and the plots into docs/plots
  --out    where pages and JSON of all runs go (${DIRECTORY}); a row measured again replaces its runs there
`

export interface MeasureOptions extends Interrupts {
  times: number
  out: string
  say(line: string): void
}

export interface PerformanceOptions extends Pick<MeasureOptions, 'times' | 'out'> {
  chosen: readonly PerformanceRow[]
  write: boolean
}

/** `pnpm load performance`: a line for each run, at the end the table. Returns the exit code. */
export async function performanceCommand(
  args: readonly string[],
  { say, ...interrupts }: Interrupts & Pick<MeasureOptions, 'say'>,
): Promise<number> {
  const options = readPerformanceOptions(args)
  if (options === undefined) {
    say(PERFORMANCE_HELP)
    return 0
  }
  const { chosen, times, out, write } = options
  const clean = await measureRows(chosen, { times, out, say, ...interrupts })
  const all = summaries(performanceRows, await new KeptRuns(out).all())
  const text = performanceText(all.filter(({ row }) => chosen.includes(row)))
  say(`\n${text}`)
  say((await writeAll(out, [['table.txt', performanceText(all)]])).join('\n'))
  if (write) say((await writePerformance(all, { docs: DOCS, rows: performanceRows })).join('\n'))
  return clean ? 0 : 1
}

/** Undefined when help is asked for. @throws TypeError for what is none of them */
export function readPerformanceOptions(args: readonly string[]): PerformanceOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      row: { type: 'string', multiple: true },
      times: { type: 'string', default: `${TIMES}` },
      write: { type: 'boolean', default: false },
      out: { type: 'string', default: DIRECTORY },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  return {
    chosen: values.row === undefined ? performanceRows : values.row.map(performanceRow),
    times: wholeNumber('times', values.times),
    out: values.out,
    write: values.write,
  }
}

/** Measures rows, the first run of each, then the second: what else the machine does is spread over them. True when all runs were clean. */
export async function measureRows(
  rows: readonly PerformanceRow[],
  { times, out, say, ...interrupts }: MeasureOptions,
): Promise<boolean> {
  const kept = new KeptRuns(out)
  let clean = true
  for (let run = 1; run <= times; run++)
    for (const row of rows) {
      const told: string[] = []
      const result = await runPerformanceRow(row, { ...interrupts, progress: (line) => told.push(line) })
      say(lineOf(row, run, result))
      if (!passed(result)) for (const line of [...result.verdict.examples, ...told]) say(`    ${line}`)
      clean &&= passed(result)
      if (run === 1) await kept.drop(row)
      await kept.save(row, run, result)
    }
  return clean
}
