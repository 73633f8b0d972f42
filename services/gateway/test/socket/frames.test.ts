import { createLogger } from '@qunxin/runtime'
import t from 'tap'
import { Calls } from '../../src/calls/calls.ts'
import type { SubmitSend } from '../../src/calls/send-call.ts'
import type { Limits, Taken } from '../../src/limits/limits.ts'
import { ClosedRows } from '../../src/send/closed-rows.ts'
import { Connection } from '../../src/socket/connection.ts'
import { Frames } from '../../src/socket/frames.ts'
import type { Writer } from '../../src/socket/wire.ts'

/** As many as have room behind a frame that the limit is asked for. */
const ROOM = 4_000

/** A bound connection whose limit is asked for frame after frame, and sends that are stored at once unless their row is closed. */
function askedConnection() {
  const stored: string[] = []
  const acks = new Map<string, number | undefined>()
  /** To `sendMessage`, by taskId. */
  const answers = new Map<string, number>()
  const closed: number[] = []
  const asked: ((taken: Taken) => void)[] = []
  const rows = new ClosedRows(() => {})
  const sends: SubmitSend = {
    submit(entry, done) {
      const code = rows.refusal(entry, 0)
      if (code) return done({ id: 0, code })
      stored.push(entry.msgId)
      done({ id: 0, seq: stored.length, at: stored.length })
    },
    refused: (send, code) => rows.close(send, code, 0),
  }
  const state = { asks: true, allows: true }
  const limits: Limits = {
    take() {
      if (state.asks) return new Promise((resolve) => asked.push(resolve))
      return state.allows ? { ok: true } : { ok: false, retryAfterMs: 100, floodingSinceMs: 0 }
    },
  }
  const bus = { request: () => new Promise<never>(() => {}) }
  const frames = new Frames({
    calls: new Calls({ bus, sends, limits, timeoutMs: 5_000 }),
    sends,
    limits,
    notices: { received: () => true, read: () => true, typing: () => {} },
    logger: createLogger('test', 'silent'),
    canConnect: () => true,
    bind: () => {},
    bindAgain: () => {},
  })
  const write = (_: unknown, frame: Buffer) => {
    const { tag, data } = JSON.parse(frame.subarray(frame.indexOf('{')).toString())
    if (tag === 'messageAck') acks.set(data.msgId, data.code)
    if (tag === 'sendMessage') answers.set(data.taskId, data.code)
  }
  const socket = {
    isPaused: false,
    pause: () => {
      socket.isPaused = true
    },
    resume: () => {
      socket.isPaused = false
    },
    close: (code: number) => closed.push(code),
  }
  const connection = new Connection(socket as unknown as Connection['socket'], {
    language: 'zh',
    handshake: undefined,
    shared: {
      writer: { write, flush: () => {} } as unknown as Writer,
      unconfirmed: new Set<Connection>(),
      ended: (ended) => {
        if (!ended.leaving || !ended.asking) frames.forget(ended)
      },
    },
  })
  connection.stage = 'bound'
  connection.id = 'c1'
  connection.userId = '1'
  connection.principal = { userId: '1', expiresAt: Number.POSITIVE_INFINITY } as Connection['principal']
  return {
    connection,
    frames,
    socket,
    state,
    stored,
    acks,
    answers,
    closed,
    /** As a call, with the msgId for its taskId. */
    async call(tag: string, msgId: string, contentStr = 'x') {
      const data = { taskId: msgId, toUserId: 2, msgId, msgContentType: 1, contentStr }
      frames.take(connection, Buffer.from(JSON.stringify({ tag, data })), false)
      await new Promise(setImmediate)
    },
    send(msgId: string, toUserId = 2) {
      const data = { toUserId, msgId, msgContentType: 1, contentStr: 'x' }
      frames.take(connection, Buffer.from(JSON.stringify({ tag: 'message', data })), false)
    },
    async answer() {
      asked.shift()?.({ ok: true })
      await new Promise(setImmediate)
    },
  }
}

const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `m${from + i}`)

t.test('what found no room behind a frame is not overtaken when there is room again, until it is resent', async (t) => {
  const { frames, socket, state, send, stored, acks, answer } = askedConnection()
  for (const msgId of numbered(0, ROOM + 3)) send(msgId)
  const [first, second] = numbered(ROOM + 1, ROOM + 3) as [string, string]
  t.strictSame(
    [...acks],
    [first, second].map((msgId) => [msgId, 1007]),
  )
  t.equal(socket.isPaused, true)

  await answer()
  t.same(stored, ['m0'], 'the limit is asked for the next one')
  send('late')
  t.equal(acks.get('late'), 1007, 'there would be room, but in front of what was refused')
  state.asks = false
  await answer()
  t.same(stored, numbered(0, ROOM + 1), 'what had room is taken')
  t.equal(frames.waitingBytes, 0)
  t.equal(socket.isPaused, false)

  send('on-the-wire')
  send('elsewhere', 3)
  for (const msgId of [second, first, second, 'late', 'on-the-wire']) send(msgId)
  t.same(stored.slice(ROOM + 1), ['elsewhere', first, second, 'late', 'on-the-wire'])
})

t.test('who is refused in more conversations than can be remembered is closed 4029, and leaves nothing', async (t) => {
  const { frames, send, closed, acks } = askedConnection()
  for (const msgId of numbered(0, ROOM + 1)) send(msgId)
  for (let to = 10; closed.length === 0 && to < 10_000; to++) send(`to-${to}`, to)
  t.same(closed, [4029])
  t.equal(acks.size, 200)
  t.equal(frames.waitingBytes, 0)
})

t.test('what was sent before a stop was heard of is taken, until the token runs out', async (t) => {
  const { connection, state, send, stored } = askedConnection()
  const { principal } = connection
  state.asks = false
  connection.leaving = true
  connection.close(1001)
  send('m1')
  connection.principal = { ...principal, expiresAt: Date.now() } as typeof principal
  send('m2')
  t.same(stored, ['m1'])
})

t.test('what found no room before a stop was heard of is not overtaken either', async (t) => {
  const { connection, frames, state, send, stored, answer } = askedConnection()
  const had = numbered(0, ROOM + 1)
  for (const msgId of [...had, 'no-room']) send(msgId)
  connection.leaving = true
  connection.close(1001)
  state.asks = false
  await answer()
  send('on-the-wire')
  t.same(stored, had)
  t.equal(frames.waitingBytes, 0)
})

t.test('a sendMessage that is refused for now keeps back what was sent behind it, as a message does', async (t) => {
  const { state, call, send, stored, answers, acks } = askedConnection()
  state.asks = false
  state.allows = false
  await call('sendMessage', 'm1')
  state.allows = true
  await call('sendMessage', 'm2')
  send('m3')
  t.strictSame(
    [...answers, ...acks],
    [
      ['m1', 1007],
      ['m2', 1007],
      ['m3', 1007],
    ],
  )
  for (const msgId of ['m1', 'm2', 'm3']) await call('sendMessage', msgId)
  t.same(stored, ['m1', 'm2', 'm3'])
})

t.test('so does one for which too much is under way', async (t) => {
  const { connection, state, call, stored, answers } = askedConnection()
  state.asks = false
  while (connection.mayWait(100)) await call('queryGroupList', '')
  await call('sendMessage', 'm1')
  connection.settled(100)
  await call('sendMessage', 'm2')
  t.same([...answers.values()], [5002, 5002])
  await call('sendMessage', 'm1')
  t.same(stored, ['m1'])
})

t.test('what is no message that could be stored keeps nothing back', async (t) => {
  const { state, call, stored, answers } = askedConnection()
  state.asks = false
  state.allows = false
  await call('sendMessage', 'empty', '')
  state.allows = true
  await call('sendMessage', 'm1')
  t.equal(answers.get('empty'), 1007)
  t.same(stored, ['m1'])
})
