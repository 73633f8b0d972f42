import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { loadConfig } from '../../packages/runtime/src/config.ts'
import { gatewayConfig } from '../../services/gateway/src/config.ts'
import { groupServiceConfig } from '../../services/group-service/src/config.ts'
import { configSchema as messageServiceConfig } from '../../services/message-service/src/config.ts'
import { interpolate, REPOSITORY, readComposeFile, SERVICES } from './compose-file.ts'

const schemas = {
  gateway: gatewayConfig,
  'group-service': groupServiceConfig,
  'message-service': messageServiceConfig,
}
const compose = await readComposeFile()
const containers = Object.entries(compose.services)
const settingsOf = (name: string) => Object.entries(compose.services[name]?.environment ?? {})

const run = promisify(execFile)
const secrets = await run('sh', [join(REPOSITORY, 'deploy', 'docker', 'new-secrets.sh')])
const variables = Object.fromEntries(
  secrets.stdout
    .trim()
    .split('\n')
    .map((line) => line.split('=') as [string, string]),
)

t.test('every setting given to a service is one it knows', async (t) => {
  for (const service of SERVICES) {
    const known = Object.keys(schemas[service].shape)
    for (const [setting] of settingsOf(service)) t.ok(known.includes(setting), `${service} knows ${setting}`)
  }
})

t.test('each service takes its configuration, once the secrets are made', async (t) => {
  for (const service of SERVICES) {
    const env = Object.fromEntries(settingsOf(service).map(([key, value]) => [key, interpolate(value, variables)]))
    const config = loadConfig(schemas[service], env) as Record<string, unknown>
    t.equal(config.NATS_URL, `nats://${service}:${variables[passwordName(service)]}@nats:4222`)
    if ('MONGO_URL' in config) t.equal(config.MONGO_URL, 'mongodb://mongodb:27017/?replicaSet=rs0')
    if ('REDIS_URL' in config) t.match(config.REDIS_URL, new RegExp(`^redis://${service}:s[0-9a-f]{48}@redis:6379$`))
    t.not(config.DEV_LOGIN, true, 'tokens are not handed out to whoever asks')
  }
})

t.test('every server a service is told of is waited for until it is healthy', async (t) => {
  for (const service of SERVICES) {
    const given = settingsOf(service).flatMap(([, url]) => url.match(/(?:@|\/\/)(nats|mongodb|redis):\d+/)?.[1] ?? [])
    for (const server of given) t.equal(compose.services[service]?.depends_on?.[server]?.condition, 'service_healthy')
  }
  for (const [name, container] of containers) {
    for (const [other, { condition }] of Object.entries(container.depends_on ?? {})) {
      t.equal(condition, 'service_healthy', `${name} waits for ${other}`)
      t.ok(compose.services[other]?.healthcheck?.test.length, `${other} says whether it is healthy`)
    }
  }
})

t.test('a missing secret stops Docker Compose with what to do', async (t) => {
  const asked = new Set<string>()
  for (const [name, container] of containers) {
    for (const [key, value] of Object.entries(container.environment ?? {})) {
      const names = [...value.matchAll(/\$\{(\w+):\?[^}]*new-secrets\.sh[^}]*\}/g)].map((found) => found[1] ?? '')
      for (const one of names) asked.add(one)
      if (/SECRET|PASSWORD/.test(key) || /\/\/[^/]*@/.test(value))
        t.equal(names.length, 1, `${name} ${key} has no default`)
    }
  }
  t.strictSame([...asked].sort(), Object.keys(variables).sort(), 'and new-secrets.sh makes exactly those')
})

t.test('only the gateway can be reached from outside', async (t) => {
  const open = containers.filter(([, container]) => container.ports).map(([name]) => name)
  t.strictSame(open, ['gateway'])
  t.equal(compose.networks.inside?.internal, true)
  for (const [name, { networks }] of containers) {
    t.strictSame(networks, name === 'gateway' ? ['inside', 'outside'] : ['inside'], name)
  }
})

t.test('every container starts again by itself, has no privileges and says whether it is healthy', async (t) => {
  for (const [name, container] of containers) {
    t.equal(container.restart, 'unless-stopped', name)
    t.strictSame(container.cap_drop, ['ALL'], name)
    t.strictSame(container.security_opt, ['no-new-privileges:true'], name)
    t.ok(container.healthcheck?.test.length, name)
  }
  for (const service of SERVICES) t.equal(compose.services[service]?.read_only, true, service)
})

t.test('a service is given longer to stop than it takes to drain', async (t) => {
  for (const service of SERVICES) {
    const grace = Number.parseInt(compose.services[service]?.stop_grace_period ?? '', 10) * 1000
    const { DRAIN_TIMEOUT_MS } = loadConfig(schemas[service], { ...requiredOnly, OPS_PORT: '0' })
    t.ok(grace > DRAIN_TIMEOUT_MS, `${service}: ${grace} ms against ${DRAIN_TIMEOUT_MS} ms`)
  }
})

t.test('NATS gets a password for every user of its configuration', async (t) => {
  const config = await readFile(join(REPOSITORY, 'deploy', 'nats', 'nats.conf'), 'utf8')
  const used = [...config.matchAll(/\$(NATS_\w+_PASSWORD)/g)].map((found) => found[1])
  t.strictSame(
    settingsOf('nats')
      .map(([key]) => key)
      .sort(),
    used.sort(),
  )
})

t.test('Docker Compose itself accepts the file, where there is one of version 2 or newer', async (t) => {
  const client = await composeClient()
  if (client === undefined) return t.pass('there is none here')
  const [command = '', ...args] = client
  const config = (env: NodeJS.ProcessEnv) =>
    run(
      command,
      [...args, '--file', join(REPOSITORY, 'docker-compose.yml'), '--env-file', '/dev/null', 'config', '--quiet'],
      { env },
    )
  const { PATH, HOME } = process.env
  await config({ PATH, HOME, ...variables })
  await t.rejects(config({ PATH, HOME }), /is missing a value: .*new-secrets\.sh/)
})

/** `docker compose`, or `docker-compose` unless it is the old one, which knows another file format. */
async function composeClient(): Promise<string[] | undefined> {
  for (const client of [['docker', 'compose'], ['docker-compose']]) {
    const [command = '', ...args] = client
    const said = await run(command, [...args, 'version']).catch(() => ({ stdout: '' }))
    if (/^Docker Compose version/.test(said.stdout)) return client
  }
  return undefined
}

const requiredOnly = { AUTH_SECRET: 'x'.repeat(48) }

function passwordName(service: string): string {
  return `NATS_${service.toUpperCase().replace('-', '_')}_PASSWORD`
}
