import { readFile, writeFile } from 'node:fs/promises'
import { deserialize, serialize } from 'node:v8'
import { History, type HistoryState } from './history.ts'

/** Keeps a history for another look at it, by the checker or by a person. */
export async function saveHistory(history: History, path: string): Promise<void> {
  await writeFile(path, serialize(history.state()))
}

/** @throws TypeError when the file holds none */
export async function loadHistory(path: string): Promise<History> {
  const bytes = await readFile(path)
  try {
    return History.from(deserialize(bytes) as HistoryState)
  } catch {
    throw new TypeError(`${path} does not hold the history of a run`)
  }
}
