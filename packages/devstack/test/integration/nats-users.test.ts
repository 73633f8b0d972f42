import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection, PermissionViolationError } from '@nats-io/transport-node'
import t from 'tap'
import { freePort } from '../../src/ports.ts'
import { CACHE } from '../../src/repository.ts'
import { type NatsUser, newPasswords, startNats } from '../../src/servers/nats.ts'

const dataDir = await mkdtemp(join(tmpdir(), 'qunxin-nats-users-'))
const passwords = newPasswords()
const port = await freePort()
const server = await startNats({
  dataDir,
  logDir: dataDir,
  cache: CACHE,
  port,
  durable: false,
  progress: () => {},
  passwords,
})
const connections: NatsConnection[] = []
t.teardown(async () => {
  await Promise.all(connections.map((nats) => nats.close()))
  await server.stop()
  await rm(dataDir, { recursive: true, force: true })
})

async function as(user: NatsUser, inboxPrefix = `_INBOX_${user}`): Promise<NatsConnection> {
  const nats = await connect({ servers: `127.0.0.1:${port}`, user, pass: passwords[user], inboxPrefix })
  connections.push(nats)
  return nats
}

/** The subjects of `given` the server refused. Its refusals come before the answer to a flush. */
async function refused(user: NatsUser, what: 'publish' | 'subscribe', given: readonly string[]): Promise<string[]> {
  const nats = await as(user)
  const found: string[] = []
  const watching = (async () => {
    for await (const status of nats.status()) {
      if (status.type === 'error' && status.error instanceof PermissionViolationError) found.push(status.error.subject)
    }
  })()
  for (const subject of given) {
    if (what === 'publish') nats.publish(subject, '{}')
    else nats.subscribe(subject, { callback: () => {} })
  }
  await nats.flush()
  await nats.close()
  await watching
  return given.filter((subject) => found.includes(subject))
}

const INBOXES = [
  '_INBOX_gateway.a.b',
  '_INBOX_group-service.a.b',
  '_INBOX_message-service.a.b',
  '_INBOX_integration.a.b',
  '_INBOX_operator.a.b',
  '_INBOX.a.b',
]
/** Every kind of subject there is, and some nobody has a use for. */
const PUBLISHED = [
  'im.group.createGroup',
  'im.group.membersOf',
  'im.user.put',
  'im.user.get',
  'im.user.revoke',
  'im.user.notBeforeOf',
  'im.message.send',
  'im.message.instance-1.confirm',
  'im.partition.7.send',
  'im.partition.7.receipt',
  'im.partition.7.typing',
  'im.partition.7.membership',
  'im.partition.7.preference',
  'im.presence.bind',
  'im.presence.unbind',
  'im.presence.get',
  'im.instances.message',
  'im.instances.gateway',
  'im.gateway.node-1.deliver',
  'im.gateway.node-1.control',
  'im.event.group.created',
  'im.event.message.stored',
  '$JS.API.STREAM.CREATE.IM_EVENTS',
  '$JS.API.STREAM.UPDATE.IM_EVENTS',
  '$JS.API.STREAM.DELETE.IM_EVENTS',
  '$JS.API.STREAM.PURGE.IM_EVENTS',
  '$JS.API.STREAM.CREATE.OTHER',
  '$JS.API.CONSUMER.CREATE.IM_EVENTS.push',
  '$JS.API.CONSUMER.CREATE.OTHER.push',
  '$JS.ACK.IM_EVENTS.push.1.1.1.1.0',
  '$SYS.REQ.SERVER.PING',
  'im.other',
  'elsewhere',
  ...INBOXES,
]

const mayPublish: Record<Exclude<NatsUser, 'operator'>, readonly string[]> = {
  gateway: [
    'im.group.createGroup',
    'im.group.membersOf',
    'im.user.get',
    'im.user.notBeforeOf',
    'im.message.send',
    'im.message.instance-1.confirm',
    'im.partition.7.send',
    'im.partition.7.receipt',
    'im.partition.7.typing',
    'im.presence.bind',
    'im.presence.unbind',
    'im.instances.gateway',
    'im.gateway.node-1.control',
  ],
  'group-service': [
    'im.partition.7.membership',
    'im.gateway.node-1.control',
    'im.event.group.created',
    '$JS.API.STREAM.CREATE.IM_EVENTS',
    '$JS.API.STREAM.UPDATE.IM_EVENTS',
    '_INBOX_gateway.a.b',
    '_INBOX_message-service.a.b',
    '_INBOX_integration.a.b',
    '_INBOX.a.b',
  ],
  'message-service': [
    'im.group.membersOf',
    'im.partition.7.send',
    'im.partition.7.receipt',
    'im.partition.7.typing',
    'im.partition.7.preference',
    'im.instances.message',
    'im.gateway.node-1.deliver',
    'im.gateway.node-1.control',
    'im.event.message.stored',
    '$JS.API.STREAM.CREATE.IM_EVENTS',
    '$JS.API.STREAM.UPDATE.IM_EVENTS',
    '_INBOX_gateway.a.b',
    '_INBOX_group-service.a.b',
    '_INBOX_message-service.a.b',
    '_INBOX_integration.a.b',
    '_INBOX.a.b',
  ],
  integration: [
    'im.group.createGroup',
    'im.group.membersOf',
    'im.user.put',
    'im.user.get',
    'im.user.revoke',
    'im.user.notBeforeOf',
    'im.message.send',
    'im.presence.get',
    '$JS.API.CONSUMER.CREATE.IM_EVENTS.push',
    '$JS.ACK.IM_EVENTS.push.1.1.1.1.0',
  ],
}

const SUBSCRIBED = [
  'im.group.createGroup',
  'im.user.put',
  'im.message.send',
  'im.message.instance-1.confirm',
  'im.partition.7.send',
  'im.partition.7.receipt',
  'im.partition.7.typing',
  'im.partition.7.membership',
  'im.partition.7.preference',
  'im.presence.bind',
  'im.presence.unbind',
  'im.presence.get',
  'im.instances.message',
  'im.instances.gateway',
  'im.gateway.node-1.deliver',
  'im.gateway.node-1.control',
  'im.event.group.created',
  'im.event.>',
  'im.>',
  '>',
  '_INBOX_gateway.>',
  '_INBOX_group-service.>',
  '_INBOX_message-service.>',
  '_INBOX_integration.>',
  '_INBOX_operator.>',
  '_INBOX.>',
  '$JS.API.>',
  '$SYS.>',
]

const maySubscribe: Record<Exclude<NatsUser, 'operator'>, readonly string[]> = {
  gateway: [
    'im.instances.message',
    'im.instances.gateway',
    'im.gateway.node-1.deliver',
    'im.gateway.node-1.control',
    '_INBOX_gateway.>',
  ],
  'group-service': ['im.group.createGroup', 'im.user.put', 'im.instances.message', '_INBOX_group-service.>'],
  'message-service': [
    'im.message.send',
    'im.message.instance-1.confirm',
    'im.partition.7.send',
    'im.partition.7.receipt',
    'im.partition.7.typing',
    'im.partition.7.membership',
    'im.partition.7.preference',
    'im.presence.bind',
    'im.presence.unbind',
    'im.presence.get',
    'im.instances.message',
    'im.instances.gateway',
    '_INBOX_message-service.>',
  ],
  integration: ['im.event.group.created', 'im.event.>', '_INBOX_integration.>', '_INBOX.>'],
}

for (const user of ['gateway', 'group-service', 'message-service', 'integration'] as const) {
  t.test(`${user} may publish where it needs to and nowhere else`, async (t) => {
    const denied = PUBLISHED.filter((subject) => !mayPublish[user].includes(subject))
    t.same(await refused(user, 'publish', PUBLISHED), denied)
  })

  t.test(`${user} may subscribe to what it serves and to its own answers, and to nothing else`, async (t) => {
    const denied = SUBSCRIBED.filter((subject) => !maySubscribe[user].includes(subject))
    t.same(await refused(user, 'subscribe', SUBSCRIBED), denied)
  })
}

t.test('a wrong password and a name that is no user are refused', async (t) => {
  await t.rejects(
    connect({ servers: `127.0.0.1:${port}`, user: 'gateway', pass: passwords.integration, reconnect: false }),
  )
  await t.rejects(connect({ servers: `127.0.0.1:${port}`, reconnect: false }))
})

t.test('an integration without any setting calls an operation and gets the answer', async (t) => {
  const service = await as('group-service')
  service.subscribe('im.group.groupsOfUser', {
    queue: 'group-service',
    callback: (_, message) => void message.respond('{"ok":true}'),
  })
  await service.flush()
  const caller = await as('integration', '_INBOX')
  t.equal((await caller.request('im.group.groupsOfUser', '{}')).string(), '{"ok":true}')
})

t.test('a service creates the stream of facts and publishes to it, and an integration consumes them', async (t) => {
  const service = await as('group-service')
  const manager = await jetstreamManager(service, { checkAPI: false })
  await manager.streams.add({ name: 'IM_EVENTS', subjects: ['im.event.>'] })
  await jetstream(service).publish('im.event.group.created', '{"groupId":"1"}', { msgID: 'one' })

  const reader = await as('integration')
  const readerManager = await jetstreamManager(reader)
  await readerManager.consumers.add('IM_EVENTS', { durable_name: 'push', ack_policy: AckPolicy.Explicit })
  const consumer = await jetstream(reader).consumers.get('IM_EVENTS', 'push')
  const fact = await consumer.next({ expires: 5000 })
  t.equal(fact?.subject, 'im.event.group.created')
  t.ok(await fact?.ackAck(), 'its acknowledgement reaches the server')
  t.equal((await consumer.info()).num_ack_pending, 0)
  await t.rejects(readerManager.streams.delete('IM_EVENTS'), 'it may not delete the stream')

  const ordered = await jetstream(reader).consumers.get('IM_EVENTS')
  t.equal((await ordered.next({ expires: 5000 }))?.string(), '{"groupId":"1"}')
})
