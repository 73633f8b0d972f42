import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeAll } from '../report/save.ts'
import { performanceMarkdown } from './markdown.ts'
import { plotsOf } from './plots.ts'
import type { PerformanceRow } from './rows.ts'
import type { Summary } from './summary.ts'

const PAGE = 'performance.md'
const MARKED = /(?<=<!-- measured -->\n)[\s\S]*?(?=<!-- end -->)/

/** Puts the table into the page of the directory `docs`, between its markers, and the plots beside it; returns the paths of all. */
export async function writePerformance(
  all: readonly Summary[],
  { docs, rows }: { docs: string; rows: readonly PerformanceRow[] },
): Promise<string[]> {
  const page = await readFile(join(docs, PAGE), 'utf8')
  if (!MARKED.test(page)) throw new TypeError(`${join(docs, PAGE)} has no place for the table between its markers`)
  const plots = plotsOf(all)
  const text = page.replace(MARKED, () => `${performanceMarkdown(all, { plots, rows })}\n`)
  return [
    ...(await writeAll(docs, [[PAGE, text]])),
    ...(await writeAll(
      join(docs, 'plots'),
      plots.map(({ file, svg }) => [file, svg] as const),
    )),
  ]
}
