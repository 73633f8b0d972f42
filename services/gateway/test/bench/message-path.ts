/**
 * `node services/gateway/test/bench/message-path.ts`: CPU of the gateway's own part of a message's way, without NATS and without
 * sockets: from the frame that came to the batch, and from the delivery to the frames that go out. For comparing one version of
 * the code with another on the same machine, in turns.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Bus, Msg } from '@qunxin/bus'
import { type Delivery, decodeBatch, encodeDelivery, type SendEntry } from '@qunxin/contracts'
import type { WebSocket } from 'ws'
import { subscribeDeliveries } from '../../src/deliver/deliveries.ts'
import { Order } from '../../src/deliver/order.ts'
import { nothingOutstanding } from '../../src/deliver/outstanding.ts'
import { unlimited } from '../../src/limits/limits.ts'
import { Sends } from '../../src/send/sends.ts'
import { Connection, type Shared } from '../../src/socket/connection.ts'
import { Connections } from '../../src/socket/connections.ts'
import { Frames, type FramesOptions } from '../../src/socket/frames.ts'
import { Writer } from '../../src/socket/wire.ts'

const PAIRS = 100
const IN_FLIGHT = Number(process.env.IN_FLIGHT ?? 16)
const ROUNDS = Number(process.env.ROUNDS ?? 60)
const WARM_UP = 20
const ITEMS_A_DELIVERY = 400
const FIRST_USER = 12_345_678_900
const WORDS = 'the quick brown fox jumps over the lazy dog, 敏捷的棕色狐狸跳过懒狗；'.repeat(3)

let deliver: (message: Pick<Msg, 'data'>) => void = () => {}
let batches: Uint8Array[] = []
const bus = {
  writable: true,
  publish: (_: string, payload: Uint8Array) => void batches.push(payload),
  onReconnect() {},
  subscribe: (_: string, take: typeof deliver) => {
    deliver = take
  },
} as unknown as Bus
const sends = new Sends({ bus, node: 'gateway', partitions: 64, instances: { ownerOf: () => 'owner', onChanged() {} } })
const connections = new Connections()
const limits = { each: 2 ** 20, all: 2 ** 25 }
const shared: Shared = { writer: new Writer(limits), unconfirmed: new Set(), ended() {} }
const order = new Order({ waits: (...send) => sends.waits(...send), onHole() {} })
sends.onStored(({ conn, conversation }, { seq }) => {
  const connection = connections.byId(conn)
  if (connection) order.own(connection, conversation, seq, false)
})
subscribeDeliveries({
  bus,
  node: 'gateway',
  order,
  streams: { take: () => true },
  answered: (answer, instance) => sends.answered(answer, instance),
  receiversOf: (user) => connections.of(user),
})
const frames = new Frames({ sends, limits: unlimited } as unknown as FramesOptions)

function connect(user: number): Connection {
  const socket = { readyState: 1, bufferedAmount: 0, _socket: { write: () => true } } as unknown as WebSocket
  const connection = new Connection(socket, { language: 'en', handshake: undefined, shared })
  const userId = String(user)
  Object.assign(connection, { stage: 'bound', id: `connection-of-${user}`, userId })
  connection.principal = { userId, expiresAt: Number.POSITIVE_INFINITY }
  connection.outstanding = nothingOutstanding(userId)
  connections.add(connection)
  return connection
}

const pairs = Array.from({ length: PAIRS }, (_, i) => {
  connect(FIRST_USER + 2 * i + 1)
  return { sender: connect(FIRST_USER + 2 * i), toUserId: FIRST_USER + 2 * i + 1 }
})
let messages = 0

function frameOf(fromUserId: number, toUserId: number): Buffer {
  const start = ++messages % 20
  const content = { msgContentType: '1', contentStr: WORDS.slice(start, start + 120), sendDate: Date.now() }
  const data = { fromUserId, toUserId, sessionId: '', msgId: `bench-${messages.toString(36)}`, ...content }
  return Buffer.from(JSON.stringify({ tag: 'message', data }))
}

const seqs = new Map<string, number>()

/** What an owner makes of a batch. */
function deliveriesOf(stored: readonly SendEntry[]): Uint8Array[] {
  const made: Uint8Array[] = []
  for (let at = 0; at < stored.length; at += ITEMS_A_DELIVERY) {
    const items: Delivery['items'] = []
    const bodies: Buffer[] = []
    for (const { id, conn, from, to = '', conversation, msgId, text } of stored.slice(at, at + ITEMS_A_DELIVERY)) {
      const seq = (seqs.get(conversation) ?? 0) + 1
      seqs.set(conversation, seq)
      const names = {
        fromUserId: Number(from),
        toUserId: Number(to),
        msgId,
        msgContentType: 1,
        sessionId: '',
        state: 1,
      }
      const data = { ...names, contentStr: text, serverReceiveDate: Date.now(), seq }
      const body = Buffer.from(`{"tag":"message","data":${JSON.stringify(data)}}`)
      bodies.push(body)
      items.push({ kind: 'frame', size: body.length, users: [to, from], conversation, seq, except: conn })
      items.push({ kind: 'answer', answer: { id, seq, at: Date.now() } })
    }
    made.push(encodeDelivery({ from: 'owner', items }, bodies))
  }
  return made
}

const cpuMicros = () => {
  const { user, system } = process.cpuUsage()
  return user + system
}

async function round(): Promise<{ taken: number; delivered: number; sent: number }> {
  const all = pairs.flatMap(({ sender, toUserId }) =>
    Array.from({ length: IN_FLIGHT }, () => ({ sender, frame: frameOf(Number(sender.userId), toUserId) })),
  )
  const before = cpuMicros()
  for (const { sender, frame } of all) frames.take(sender, frame, false)
  await nextTurn()
  await nextTurn()
  const taken = cpuMicros() - before
  const stored = batches.flatMap((batch) => decodeBatch(batch).sends)
  batches = []
  const deliveries = deliveriesOf(stored)
  const then = cpuMicros()
  for (const data of deliveries) {
    deliver({ data })
    await nextTurn()
  }
  return { taken, delivered: cpuMicros() - then, sent: all.length }
}

let taken = 0
let delivered = 0
let sent = 0
for (let i = -WARM_UP; i < ROUNDS; i++) {
  const one = await round()
  if (i < 0) continue
  taken += one.taken
  delivered += one.delivered
  sent += one.sent
}
sends.stop()
const each = (micros: number) => `${(micros / sent).toFixed(2)} µs`
process.stdout.write(
  `${sent} messages: ${each(taken)} from frame to batch, ${each(delivered)} from delivery to frames, ${each(taken + delivered)} in all\n`,
)
