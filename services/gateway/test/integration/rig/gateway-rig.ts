import { randomBytes } from 'node:crypto'
import { connectRedis } from '@qunxin/presence'
import { createLogger } from '@qunxin/runtime'
import t from 'tap'
import type { ClientOptions } from 'ws'
import { readConfig } from '../../../src/config.ts'
import { type Gateway, startGateway } from '../../../src/service.ts'
import { SECRET, token } from '../../tokens.ts'
import { Client, until } from './client.ts'
import { type ScriptedService, startScriptedService } from './scripted-service.ts'

const natsUrl = process.env.QUNXIN_TEST_NATS_URL ?? 'nats://127.0.0.1:4222'
const redisUrl = process.env.QUNXIN_TEST_REDIS_URL ?? 'redis://127.0.0.1:6379'
const logger = createLogger('test', process.env.LOG_LEVEL ?? 'silent')

/** Real gateways on real NATS and Redis, with a scripted message-service behind them; everything ends with the test file. */
export async function startRig(settings: { env?: Record<string, string>; natsUrl?: string } = {}) {
  t.setTimeout(120_000)
  const prefix = `t${randomBytes(4).toString('hex')}`
  const url = settings.natsUrl ?? natsUrl
  const clients: Client[] = []
  const gateways: Gateway[] = []
  const services: ScriptedService[] = []

  const rig = {
    prefix,
    startService: async (instance: string) => {
      const service = await startScriptedService({ url: natsUrl, prefix, instance })
      services.push(service)
      return service
    },
    startGateway: async (env: Record<string, string> = {}) => {
      const config = readConfig({
        NATS_URL: url,
        REDIS_URL: redisUrl,
        REDIS_PREFIX: `${prefix}:`,
        SUBJECT_PREFIX: prefix,
        PARTITIONS: '8',
        AUTH_SECRET: SECRET,
        HOST: '127.0.0.1',
        PORT: '0',
        OPS_PORT: '0',
        ...settings.env,
        ...env,
      })
      const gateway = await startGateway(config, { logger })
      gateways.push(gateway)
      return gateway
    },
    connect: async (gateway: Gateway, options: ClientOptions & { at?: string; query?: string } = {}) => {
      const { at = '/ws', query = '' } = options
      const client = new Client(`${gateway.url.replace('http', 'ws')}${at}${query}`, options)
      clients.push(client)
      return client.open()
    },
    /** A bound client; `sync` unless it is to be one that knows only the seeds. */
    bind: async (
      gateway: Gateway,
      userId: number,
      options: { sync?: boolean; headers?: Record<string, string>; autoPong?: boolean } = {},
    ) => {
      const authorization = `Bearer ${await token({ sub: String(userId) })}`
      const { autoPong = true } = options
      const client = await rig.connect(gateway, { headers: { authorization, ...options.headers }, autoPong })
      client.send('getUserId', { userId, ...((options.sync ?? true) && { sync: true }) })
      await client.next('bound')
      return client
    },
    redis: () => connectRedis(redisUrl, logger),
  }

  t.teardown(async () => {
    for (const client of clients) client.terminate()
    await Promise.all(gateways.map((gateway) => gateway.stop()))
    await Promise.all(services.map((service) => service.stop()))
  })
  const service = await rig.startService('ms-1')
  const gateway = await rig.startGateway()
  return { ...rig, service, gateway, until }
}

export type Rig = Awaited<ReturnType<typeof startRig>>

export const textTo = (toUserId: number, msgId: string, changed: Record<string, unknown> = {}) => ({
  toUserId,
  contentStr: 'hello',
  msgId,
  msgContentType: '1',
  sessionId: '',
  ...changed,
})
