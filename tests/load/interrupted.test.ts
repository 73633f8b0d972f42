import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunState } from '@qunxin/devstack'
import t, { type Test } from 'tap'
import { eventually } from '../eventually.ts'

t.setTimeout(180_000)

/** `pnpm load table` with a folder of its own for what is temporary. */
async function startTable(t: Test) {
  const temporary = await mkdtemp(join(tmpdir(), 'qunxin-interrupted-'))
  const main = join(import.meta.dirname, 'main.ts')
  const child = spawn(process.execPath, [main, 'table', '--row', '1', '--seed', '7'], {
    cwd: temporary,
    env: { ...process.env, TMPDIR: temporary },
    stdio: 'ignore',
  })
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
    await rm(temporary, { recursive: true, force: true })
  })
  return {
    /** The data of the system it runs on, once it has begun with that. */
    data: () => readdirSync(temporary).filter((name) => name.startsWith('qunxin-load-')),
    temporary,
    async interrupt() {
      child.kill('SIGINT')
      const [code] = await exited
      return code
    },
  }
}

/** What has something below that folder on its command line: the servers do. */
function processesIn(folder: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(join('/proc', pid, 'cmdline'), 'utf8').includes(folder)
    } catch {
      return false
    }
  })
}

t.test('a table that is interrupted while a row runs leaves no process and no file', async (t) => {
  const table = await startTable(t)
  const runFile = () => join(table.temporary, table.data()[0] ?? 'none yet', 'run.json')
  await eventually(() => existsSync(runFile()), 'the system is up', 60_000)
  const { processes } = JSON.parse(readFileSync(runFile(), 'utf8')) as RunState
  t.ok(processes.length > 5 && processes.every(({ pid }) => existsSync(`/proc/${pid}`)))
  t.equal(await table.interrupt(), 130)
  t.same(table.data(), [])
  t.same(
    processes.filter(({ pid }) => existsSync(`/proc/${pid}`)),
    [],
  )
})

t.test('… and so does one that is interrupted while the system of a row starts', async (t) => {
  const table = await startTable(t)
  await eventually(() => processesIn(table.temporary).length > 0, 'the first server is started')
  t.equal(await table.interrupt(), 130)
  t.same(table.data(), [])
  t.same(processesIn(table.temporary), [])
})
