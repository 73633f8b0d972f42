import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Test } from 'tap'
import { connectRedis } from '../../src/index.ts'
import { logger } from './redis-presence.ts'

export interface PrivateRedis {
  url: string
  /** Ends the process without any warning; what it held is gone. */
  kill(): Promise<void>
  start(): Promise<void>
  pause(): void
  resume(): void
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** A Redis that a test may flush and kill, which it must not do to the one that all tests share. */
export async function privateRedis(t: Test): Promise<PrivateRedis> {
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  const program = process.env.QUNXIN_TEST_REDIS_SERVER ?? 'redis-server'
  let child: ChildProcess | undefined
  const redis: PrivateRedis = {
    url,
    async start() {
      child = spawn(program, ['--port', String(port), '--save', '', '--bind', '127.0.0.1'], { stdio: 'ignore' })
      child.on('error', () => {})
      const probe = await connectRedis(url, logger)
      probe.disconnect()
    },
    async kill() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
    pause: () => child?.kill('SIGSTOP'),
    resume: () => child?.kill('SIGCONT'),
  }
  await redis.start()
  t.teardown(() => redis.kill())
  return redis
}
