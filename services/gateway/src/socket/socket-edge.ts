import { setTimeout as delay } from 'node:timers/promises'
import type { Bus } from '@qunxin/bus'
import type { UserId } from '@qunxin/contracts'
import type { Registry } from '@qunxin/presence'
import type { Logger } from '@qunxin/runtime'
import type { FastifyInstance } from 'fastify'
import type { RawData, WebSocket } from 'ws'
import type { Authenticator } from '../auth/authenticator.ts'
import { isRevoked, type Principal } from '../auth/principal.ts'
import { Binder } from '../binding/binder.ts'
import { subscribeControl } from '../binding/control.ts'
import type { MessageInstances } from '../binding/message-instances.ts'
import type { Calls } from '../calls/calls.ts'
import { languageOf } from '../calls/language.ts'
import type { GatewayConfig } from '../config.ts'
import { sendBacklog } from '../deliver/backlog.ts'
import { CatchUp } from '../deliver/catch-up.ts'
import { subscribeDeliveries } from '../deliver/deliveries.ts'
import { GroupBacklogs } from '../deliver/group-backlogs.ts'
import { InstanceStreams } from '../deliver/instance-streams.ts'
import { Order } from '../deliver/order.ts'
import { nothingOutstanding } from '../deliver/outstanding.ts'
import { Receipts } from '../deliver/receipts.ts'
import { Repair } from '../deliver/repair.ts'
import { Turns } from '../deliver/turns.ts'
import { WhoIsBehind } from '../deliver/who-is-behind.ts'
import type { Origins } from '../http/origins.ts'
import type { Limits } from '../limits/limits.ts'
import type { Sends } from '../send/sends.ts'
import { Typing } from '../send/typing.ts'
import { Binding } from './bind.ts'
import { Connection, type Shared } from './connection.ts'
import { Connections } from './connections.ts'
import { drainConnections } from './drain.ts'
import { Frames } from './frames.ts'
import { answerRefused, createAdmission } from './handshake.ts'
import { Lifetimes } from './lifetimes.ts'
import { Upgrades } from './upgrade.ts'
import { Writer } from './wire.ts'

/** A client that has so much waiting is too slow: it comes back and catches up. */
const SLOW_BYTES = 1024 * 1024
/** The longest a backlog waits for instances that live and do not confirm the binding; as long as later messages wait for a hole. */
const FINDABLE_MS = 10_000
/** Backlogs read at once: a few gateways together are no more than message-service lets wait. */
const BACKLOGS_AT_ONCE = 100
/** A stop waits no longer for owners to store the last receipts. */
const RECEIPTS_MS = 2_000

export interface SocketEdgeOptions {
  bus: Bus
  node: string
  config: Pick<
    GatewayConfig,
    | 'PARTITIONS'
    | 'BIND_TIMEOUT_MS'
    | 'FRAME_LIMIT_BYTES'
    | 'PING_EVERY_MS'
    | 'MAX_CONNECTIONS'
    | 'SLOW_SOCKETS_LIMIT_BYTES'
  >
  sends: Sends
  calls: Calls
  limits: Limits
  authenticator: Authenticator
  origins: Origins
  registry: Registry
  instances: MessageInstances
  /** A `revoke` order came: tokens of this user from before `notBefore` (ms) are no longer good. */
  onRevoked(user: UserId, notBefore: number): void
  logger: Logger
}

export interface SocketEdge {
  /** Is there room for a further connection? */
  canConnect(): boolean
  /** Open sockets, bound or not. */
  readonly size: number
  /** Bytes that wait for clients to read them. */
  readonly unreadBytes: number
  /** Bytes of frames that wait for a binding, or for their user's limit. */
  readonly waitingBytes: number
  /** How often deliveries were lost for good, and everybody's backlog was read. */
  readonly catchUps: number
  /** Receipts no owner has confirmed. */
  readonly receiptsPending: number
  /** Closes 4003 what lives by a token from before `notBefore` (ms). */
  closeRevoked(user: UserId, notBefore: number): void
  /** Since when it is over: whoever comes is sent elsewhere. */
  readonly draining: boolean
  /** Takes nobody any more, and closes everybody 1001 when what they have sent is answered. */
  drain(): Promise<void>
  stop(): void
}

type HeldSocket = WebSocket & { connection: Connection }

/** Seed B's edge: `GET /ws`, and what NATS brings for its sockets. */
export function registerSocket(app: FastifyInstance, options: SocketEdgeOptions): SocketEdge {
  const { bus, node, config, sends, calls, limits, authenticator, origins, registry, instances, logger } = options
  const open = new Set<Connection>()
  /** Closed 1001, with a socket that may still bring what was sent before that came there. */
  const sentAway = new Set<Connection>()
  /** Until the network is done with them. */
  const sockets = new Set<WebSocket>()
  const connections = new Connections()
  let draining = false
  const hasRoom = () => open.size < config.MAX_CONNECTIONS
  const canConnect = () => !draining && hasRoom()

  const partitions = config.PARTITIONS
  const receipts = new Receipts({
    bus,
    node,
    partitions,
    onInstancesChanged: (callback) => instances.onChanged(callback),
    isAlone: (user, conn) => connections.of(user).every(({ id }) => id === conn),
  })
  const typing = new Typing({ bus, partitions })
  const unconfirmed = new Set<Connection>()
  const lifetimes = new Lifetimes({ pingEveryMs: config.PING_EVERY_MS, receipts, unconfirmed })
  const shared: Shared = {
    writer: new Writer({ each: SLOW_BYTES, all: config.SLOW_SOCKETS_LIMIT_BYTES }),
    unconfirmed,
    ended(connection) {
      open.delete(connection)
      if (connection.leaving) sentAway.add(connection)
      // What came before a stop is still done once the limit allows it.
      if (!connection.leaving || !connection.asking) frames.forget(connection)
      lifetimes.end(connection)
      if (connections.remove(connection)) binder.left(connection.userId, connection.id)
    },
  }

  const isHere = (user: UserId) => connections.of(user).length > 0
  const binder = new Binder({ bus, node, registry, instances, isHere, logger })
  const repair = new Repair({ bus, logger, waitsIn: (conn, conversation) => sends.waitsIn(conn, conversation) })
  const order = new Order({
    waits: (conn, conversation, msgId) => sends.waits(conn, conversation, msgId),
    onHole: (hole) => repair.watch(hole, order),
  })
  const groups = new GroupBacklogs({ bus, logger })
  const backlogs = {
    bus,
    order,
    groups,
    logger,
    whoIsBehind: new WhoIsBehind({ bus, logger }),
    turns: new Turns(BACKLOGS_AT_ONCE),
  }
  const catchUp = new CatchUp({ bus, order, groups, logger, receivers: () => connections.all() })
  const streams = new InstanceStreams({ bus, node, logger, lost: (forMs) => catchUp.begin(forMs) })

  const binding = new Binding({
    authenticator,
    register: (connection) => connections.add(connection),
    findable: (connection) => binder.arrived(connection.userId, connection.id),
    unbound: (connection) => frames.takeWaiting(connection),
    ready(connection, sync) {
      if (connection.principal) lifetimes.limit(connection, connection.principal.expiresAt)
      if (sync) order.release(connection)
      else {
        connection.outstanding = nothingOutstanding(connection.userId)
        void bringUp(connection)
      }
      frames.takeWaiting(connection)
    },
    extended: (connection, { expiresAt }) => lifetimes.limit(connection, expiresAt),
  })
  /** What an instance commits before it knows of the connection must be in the log when the backlog is read. */
  async function bringUp(connection: Connection): Promise<void> {
    const unconfirmed = binder.unconfirmed(connection.userId)
    if (unconfirmed !== undefined) await Promise.race([unconfirmed, delay(FINDABLE_MS, undefined, { ref: false })])
    await sendBacklog(connection, backlogs)
  }

  const frames = new Frames({
    calls,
    sends,
    limits,
    notices: {
      received: ({ userId }, conversation, seq) => receipts.received(userId, conversation, seq),
      read: ({ userId, id: conn }, conversation, seq) => receipts.read(userId, conversation, { seq, conn }),
      typing: ({ userId }, conversation) => typing.take(userId, conversation),
    },
    logger,
    canConnect,
    bind: (connection, incoming) => void binding.first(connection, incoming),
    bindAgain: (connection, incoming) => void binding.again(connection, incoming),
  })

  sends.onStored(({ conn, conversation }, { seq, duplicate }) => {
    const connection = connections.byId(conn)
    if (connection) order.own(connection, conversation, seq, duplicate === true)
  })
  sends.whenHeard((conn, heard) => {
    const connection = connections.byId(conn)
    if (connection) lifetimes.whenHeard(connection, heard)
  })
  subscribeDeliveries({
    bus,
    node,
    order,
    streams,
    answered: (answer, instance) => sends.answered(answer, instance),
    receiversOf: (user) => connections.of(user),
  })

  const closeOf = (user: UserId, revoked: (by: Principal) => boolean) => {
    for (const connection of [...open, ...sentAway]) {
      const by = connection.principal ?? connection.handshake
      if (by?.userId === user && revoked(by)) connection.close(4003)
    }
  }
  subscribeControl({
    bus,
    node,
    close: (conn, code) => connections.byId(conn)?.close(code),
    revoked(user, notBefore) {
      options.onRevoked(user, notBefore)
      // Tokens tell seconds: one of the very second of the order is good again, but the socket that lived by it is not.
      closeOf(user, () => true)
    },
  })

  function onSocketError(this: WebSocket, error: Error) {
    logger.debug({ err: error }, 'socket failed')
    // One that ws closes by itself (a frame over the limit, say) is left to it: terminated, it would never show the code.
    if (this.readyState === this.OPEN) this.terminate()
  }

  // One of each for all sockets, which hold their connections: of tens of thousands every closure counts.
  function onMessage(this: WebSocket, data: RawData, isBinary: boolean) {
    frames.take((this as HeldSocket).connection, data as Buffer, isBinary)
  }
  function onPong(this: WebSocket, data: Buffer) {
    lifetimes.ponged((this as HeldSocket).connection, Number(data.toString()))
  }
  function onClose(this: WebSocket) {
    const { connection } = this as HeldSocket
    connection.end()
    sentAway.delete(connection)
    sockets.delete(this)
  }

  const upgrades = new Upgrades(app, {
    frameLimitBytes: config.FRAME_LIMIT_BYTES,
    logger,
    // While this gateway drains a client is taken and sent away with 1001: a refused handshake would not tell it to go elsewhere.
    admit: createAdmission({ authenticator, origins, takes: () => draining || hasRoom() }),
    take(socket, { request, principal }) {
      const language = languageOf(request.headers['accept-language'])
      const connection = new Connection(socket, { language, handshake: principal, shared })
      open.add(connection)
      sockets.add(socket)
      lifetimes.begin(connection, Date.now() + config.BIND_TIMEOUT_MS)
      const held = socket as HeldSocket
      held.connection = connection
      held.on('message', onMessage)
      held.on('pong', onPong)
      held.on('close', onClose)
      held.on('error', onSocketError)
      if (draining) connection.close(1001)
    },
  })
  app.get('/ws', (request, reply) => answerRefused(upgrades.whyRefused(request.raw), request, reply))

  return {
    canConnect,
    get size() {
      return open.size
    },
    get draining() {
      return draining
    },
    get unreadBytes() {
      return shared.writer.unreadBytes
    },
    get waitingBytes() {
      return frames.waitingBytes
    },
    get catchUps() {
      return catchUp.rounds
    },
    get receiptsPending() {
      return receipts.pending
    },
    closeRevoked: (user, notBefore) => closeOf(user, (by) => isRevoked(by, notBefore)),
    async drain() {
      draining = true
      await drainConnections(open, sockets)
      streams.confirm()
      await receipts.confirmed(RECEIPTS_MS)
    },
    stop() {
      streams.stop()
      lifetimes.stop()
      receipts.stop()
      binder.stop()
      repair.stop()
    },
  }
}
