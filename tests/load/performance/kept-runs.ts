import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { saveRun } from '../report/save.ts'
import type { RunResult } from '../result.ts'
import type { PerformanceRow } from './rows.ts'

/** The runs of all rows in a directory, a page and JSON each: what was measured before is there for the next table. */
export class KeptRuns {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  async save(row: PerformanceRow, run: number, result: RunResult): Promise<void> {
    await saveRun(result, this.#directory, `${row.name}-${run}`)
  }

  /** Forgets those of a row. */
  async drop({ name }: PerformanceRow): Promise<void> {
    const files = (await this.#files()).filter((file) => /^-\d+\.(json|html)$/.test(file.replace(name, '')))
    await Promise.all(files.map((file) => rm(join(this.#directory, file))))
  }

  /** Of each row, by its name. */
  async all(): Promise<Map<string, RunResult[]>> {
    const runs = new Map<string, RunResult[]>()
    for (const file of await this.#files()) {
      const [, name] = /^(.+)-\d+\.json$/.exec(file) ?? []
      if (name === undefined) continue
      const result = JSON.parse(await readFile(join(this.#directory, file), 'utf8')) as RunResult
      runs.set(name, [...(runs.get(name) ?? []), result])
    }
    return runs
  }

  async #files(): Promise<string[]> {
    return (await readdir(this.#directory).catch(() => [])).toSorted()
  }
}
