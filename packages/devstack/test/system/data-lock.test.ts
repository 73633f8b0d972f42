import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { lockData } from '../../src/system/data-lock.ts'

t.test('a second system on the same data is refused with the first one’s process and what to set', async (t) => {
  const dataDir = t.testdir()
  const release = await lockData(dataDir)
  const message = new RegExp(`Process ${process.pid} already runs.*DATA_DIR and PORT`)
  await t.rejects(lockData(dataDir), { name: 'SetupError', message })
  await release()
  t.notOk(existsSync(join(dataDir, 'lock')))
  await (await lockData(dataDir))()
})

t.test('a lock left behind by a killed process does not stand in the way', async (t) => {
  const dataDir = t.testdir()
  const gone = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
  await once(gone, 'exit')
  writeFileSync(join(dataDir, 'lock'), `${gone.pid} 1\n`)
  await (await lockData(dataDir))()
})

t.test('nor does one whose process number belongs to another process by now', async (t) => {
  if (process.platform !== 'linux') return t.pass('needs /proc')
  const dataDir = t.testdir()
  writeFileSync(join(dataDir, 'lock'), `${process.pid} 1\n`)
  await (await lockData(dataDir))()
})
