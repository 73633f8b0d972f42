import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** One process of the system; pid 0 for a server it did not start. */
export interface ProcessEntry {
  name: string
  pid: number
  url?: string
  opsUrl?: string
}

/** What DATA_DIR/run.json says while the system is up: for tools and tests. */
export interface RunState {
  processes: ProcessEntry[]
  /** With the credentials of an integration user. */
  natsUrl: string
  mongoUrl: string
  redisUrl: string
}

export interface RunFile {
  path: string
  /** Readers see the old state or the new one, never half of it. */
  write(state: RunState): void
  remove(): void
}

export function runFile(dataDir: string): RunFile {
  const path = join(dataDir, 'run.json')
  return {
    path,
    write(state) {
      writeFileSync(`${path}.draft`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 })
      renameSync(`${path}.draft`, path)
    },
    remove: () => rmSync(path, { force: true }),
  }
}
