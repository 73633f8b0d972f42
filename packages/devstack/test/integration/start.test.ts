import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '@nats-io/transport-node'
import t, { type Test } from 'tap'
import { freePort, portIsFree } from '../../src/ports.ts'
import { REPOSITORY } from '../../src/repository.ts'
import type { RunState } from '../../src/system/run-file.ts'
import { lives } from '../lives.ts'

t.setTimeout(300_000)

interface Start {
  child: ChildProcess
  output(): string
  exited: Promise<number | null>
  /** Waits until the output matches; fails the test with it when the process ended before. */
  said(pattern: RegExp): Promise<void>
}

/** What `npm start` runs, with settings of its own. */
function start(t: Test, settings: Record<string, string>): Start {
  const inherited = { ...process.env, NATS_URL: '', MONGO_URL: '', REDIS_URL: '', DEVSTACK_DOCKER: 'off' }
  const child = spawn(process.execPath, [join(REPOSITORY, 'scripts', 'start.mjs')], {
    cwd: REPOSITORY,
    env: { ...inherited, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  child.stderr.on('data', (chunk) => {
    text += chunk
  })
  const exited = once(child, 'close').then(([code]) => code as number | null)
  let ended = false
  void exited.then(() => {
    ended = true
  })
  t.teardown(async () => {
    child.kill('SIGTERM')
    await exited
  })
  return {
    child,
    output: () => text,
    exited,
    async said(pattern) {
      while (!pattern.test(text)) {
        if (ended) throw new Error(`It ended without saying ${pattern}:\n${text}`)
        await sleep(20)
      }
    },
  }
}

function readRun(dataDir: string): RunState {
  return JSON.parse(readFileSync(join(dataDir, 'run.json'), 'utf8'))
}

interface Answer {
  data: Record<string, unknown>
}

/** Runs the curl commands of the example as they were printed, and returns what they answered. */
async function runExamples(output: string): Promise<Answer[]> {
  const commands = [...output.matchAll(/^ {2}curl '(\S+)' -H 'content-type: application\/json' -d '(.+)'$/gm)]
  const answers = commands.map(async ([, url = '', body = '']) => {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    return (await response.json()) as Answer
  })
  return Promise.all(answers)
}

/** Two ports in a row that nobody uses. */
async function twoFreePorts(): Promise<number> {
  for (;;) {
    const port = await freePort()
    if (await portIsFree(port + 1)) return port
  }
}

t.test('one command brings up the system, Ctrl-C ends it, and the data is there the next time', async (t) => {
  const dataDir = join(t.testdir(), 'data')
  const port = await twoFreePorts()
  const settings = { DATA_DIR: dataDir, PORT: `${port}`, GATEWAYS: '2' }
  const first = start(t, settings)
  await first.said(/Ctrl-C stops everything/)
  const url = `http://127.0.0.1:${port}`

  await t.test('run.json lists every process with its addresses', async (t) => {
    const run = readRun(dataDir)
    t.same(
      run.processes.map(({ name }) => name),
      ['gateway-1', 'gateway-2', 'group-service-1', 'message-service-1', 'nats-server', 'mongod', 'redis-server'],
    )
    t.same(
      run.processes.slice(0, 2).map((gateway) => gateway.url),
      [url, `http://127.0.0.1:${port + 1}`],
    )
    for (const { name, pid, opsUrl } of run.processes) {
      t.ok(process.kill(pid, 0), `${name} runs`)
      if (opsUrl !== undefined) t.equal((await fetch(`${opsUrl}/readyz`)).status, 200, `${name} is ready`)
    }
    t.same(Object.keys(run).sort(), ['mongoUrl', 'natsUrl', 'processes', 'redisUrl'])
  })

  await t.test('its NATS address lets another back-end service call operations', async (t) => {
    const { host, username: user, password: pass } = new URL(readRun(dataDir).natsUrl)
    t.equal(user, 'integration')
    const nats = await connect({ servers: host, user, pass })
    t.teardown(() => nats.close())
    const reply = await nats.request('im.group.groupsOfUser', '{"userId":1000221}', { timeout: 5000 })
    t.match(reply.json(), { ok: true, result: { userId: 1000221, groupIds: [] } })
  })

  let groupId = ''
  await t.test('the printed example works as it stands', async (t) => {
    const [created, sent] = await runExamples(first.output())
    t.match(created, { data: { success: true, groupId: /^\d+$/ } })
    t.match(sent, { data: { success: true } })
    groupId = String(created?.data.groupId)
    t.match(first.output(), `ws://127.0.0.1:${port}/ws`)
  })

  await t.test('a service that is killed is started again, visibly, and run.json has its new process', async (t) => {
    const pid = () => readRun(dataDir).processes.find(({ name }) => name === 'group-service-1')?.pid ?? 0
    const killed = pid()
    process.kill(killed, 'SIGKILL')
    await first.said(/group-service-1 is back/)
    t.match(first.output(), `group-service-1 (pid ${killed}) ended: signal SIGKILL`)
    t.not(pid(), killed)
    t.ok(process.kill(pid(), 0))
  })

  await t.test('a second start on the same port, or with the same data, is refused', async (t) => {
    const samePort = start(t, { ...settings, DATA_DIR: `${dataDir}-2` })
    t.equal(await samePort.exited, 1)
    t.match(samePort.output(), `Port ${port} is taken, and gateway-1 needs it`)
    t.match(samePort.output(), 'PORT=')
    const sameData = start(t, { ...settings, PORT: `${await twoFreePorts()}` })
    t.equal(await sameData.exited, 1)
    t.match(sameData.output(), /Process \d+ already runs the system with the data in .*DATA_DIR and PORT/)
    t.ok(existsSync(join(dataDir, 'run.json')), 'the running system is left alone')
  })

  t.notMatch(
    readFileSync(join(dataDir, 'logs', 'nats-server.log'), 'utf8'),
    /violation/i,
    'no service lacks a permission',
  )
  const { processes } = readRun(dataDir)
  first.child.kill('SIGINT')
  // npm passes on what the terminal has sent already: still one request to stop.
  first.child.kill('SIGINT')
  t.equal(await first.exited, 0)
  t.match(first.output(), 'everything is stopped')
  t.notOk(existsSync(join(dataDir, 'run.json')))
  for (const { name, pid } of processes) t.throws(() => process.kill(pid, 0), `${name} is gone`)
  t.ok((await portIsFree(port)) && (await portIsFree(port + 1)), 'the ports are free')

  const second = start(t, settings)
  await second.said(/Ctrl-C stops everything/)
  const [, headersOfFirstRun = ''] = /"headers":(\{.*?\})/.exec(first.output()) ?? []
  const response = await fetch(`${url}/chat/group!queryGroupInfo`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ headers: JSON.parse(headersOfFirstRun), data: { groupId } }),
  })
  t.match(await response.json(), { data: { success: true, groupName: 'Hello' } })
  second.child.kill('SIGTERM')
  t.equal(await second.exited, 0)
})

t.test('a port that something else listens on is refused before anything is started', async (t) => {
  const port = await freePort()
  const other = createServer().listen(port, '127.0.0.1')
  t.teardown(() => other.close())
  const dataDir = join(t.testdir(), 'data')
  const refused = start(t, { DATA_DIR: dataDir, PORT: `${port}` })
  t.equal(await refused.exited, 1)
  t.match(
    refused.output(),
    `Port ${port} is taken, and gateway-1 needs it. Stop what listens there, or choose another by PORT`,
  )
  t.notOk(existsSync(dataDir))
})

t.test('Ctrl-C while it starts stops what runs already', async (t) => {
  const dataDir = join(t.testdir(), 'data')
  const interrupted = start(t, { DATA_DIR: dataDir, PORT: `${await freePort()}` })
  await interrupted.said(/mongod is ready/)
  interrupted.child.kill('SIGINT')
  t.equal(await interrupted.exited, 130)
  t.match(interrupted.output(), 'stopped while starting')
  const ports = JSON.parse(readFileSync(join(dataDir, 'ports.json'), 'utf8'))
  for (const [name, port] of Object.entries<number>(ports)) t.ok(await portIsFree(port), `the port of ${name} is free`)
  t.notOk(existsSync(join(dataDir, 'run.json')))
})

t.test('when the command itself is killed, nothing stays behind', async (t) => {
  const dataDir = join(t.testdir(), 'data')
  const killed = start(t, { DATA_DIR: dataDir, PORT: `${await freePort()}` })
  await killed.said(/Ctrl-C stops everything/)
  const { processes } = readRun(dataDir)
  killed.child.kill('SIGKILL')
  await killed.exited
  for (const { name, pid } of processes) {
    while (lives(pid)) await sleep(20)
    t.pass(`${name} is gone`)
  }
  while (existsSync(join(dataDir, 'run.json'))) await sleep(20)
})

t.test('wrong settings are all named, and help tells the right ones', async (t) => {
  const wrong = start(t, { DATA_DIR: join(t.testdir(), 'data'), PORT: 'x', GATEWAYS: '0' })
  t.equal(await wrong.exited, 1)
  t.match(wrong.output(), /PORT is "x"[\s\S]*GATEWAYS is "0"/)
  const help = spawn(process.execPath, [join(REPOSITORY, 'scripts', 'start.mjs'), '--help'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  for await (const chunk of help.stdout) text += chunk
  for (const setting of [
    'PORT',
    'GATEWAYS',
    'GROUP_SERVICES',
    'MESSAGE_SERVICES',
    'AUTH_SECRET',
    'DATA_DIR',
    'RATE_LIMITS',
  ])
    t.match(text, setting)
})
