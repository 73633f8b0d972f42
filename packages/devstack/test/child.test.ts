import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { findOnPath } from '../src/find-on-path.ts'
import { lives } from './lives.ts'

t.test('a child ends when the process that started it is killed without a chance to stop it', async (t) => {
  if (findOnPath('setpriv') === undefined) return t.pass('only where util-linux has setpriv')
  const folder = t.testdir()
  const parentScript = join(folder, 'parent.ts')
  writeFileSync(
    parentScript,
    `import { startChild } from ${JSON.stringify(join(import.meta.dirname, '..', 'src', 'child.ts'))}
const child = await startChild({ name: 'child', command: '/bin/sleep', args: ['600'], logFile: ${JSON.stringify(join(folder, 'log'))} })
console.log(child.pid)
setInterval(() => {}, 1000)`,
  )
  const parent = spawn(process.execPath, [parentScript], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(parent.stdout, 'data')
  const pid = Number(String(line).trim())
  process.kill(pid, 0)
  parent.kill('SIGKILL')
  await once(parent, 'exit')
  while (lives(pid)) await sleep(10)
  t.pass('it is gone')
})
