import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunResult } from '../result.ts'
import { runPage } from './html.ts'
import { resultJson } from './json.ts'
import { type SeriesRun, seriesPage, seriesText } from './table.ts'

/** Writes `<name>.json` and `<name>.html` into a directory, which is made; returns their paths. */
export async function saveRun(result: RunResult, directory: string, name: string): Promise<string[]> {
  return await writeAll(directory, [
    [`${name}.json`, resultJson(result)],
    [`${name}.html`, runPage(result)],
  ])
}

/** Writes `<name>.txt` and `<name>.html`; returns their paths. */
export async function saveSeries(runs: readonly SeriesRun[], directory: string, name: string): Promise<string[]> {
  return await writeAll(directory, [
    [`${name}.txt`, seriesText(runs)],
    [`${name}.html`, seriesPage(runs)],
  ])
}

/** Writes files into a directory, which is made; returns their paths. */
export async function writeAll(
  directory: string,
  files: readonly (readonly [name: string, text: string])[],
): Promise<string[]> {
  await mkdir(directory, { recursive: true })
  const written = files.map(async ([name, text]) => {
    const path = join(directory, name)
    await writeFile(path, text)
    return path
  })
  return await Promise.all(written)
}
