import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import t from 'tap'
import { runFile } from '../../src/system/run-file.ts'

t.test('run.json says what runs, for its owner only, and is gone after removal', async (t) => {
  const dataDir = t.testdir()
  const file = runFile(dataDir)
  const state = {
    processes: [{ name: 'gateway-1', pid: 7, url: 'http://127.0.0.1:8080', opsUrl: 'http://127.0.0.1:9080' }],
    natsUrl: 'nats://integration:secret@127.0.0.1:4222',
    mongoUrl: 'mongodb://127.0.0.1:27017/?replicaSet=rs0',
    redisUrl: 'redis://127.0.0.1:6379',
  }
  file.write(state)
  t.same(JSON.parse(readFileSync(file.path, 'utf8')), state)
  t.equal(statSync(file.path).mode & 0o077, 0)
  t.same(readdirSync(dataDir), ['run.json'])
  file.remove()
  t.notOk(existsSync(file.path))
  file.remove()
})
