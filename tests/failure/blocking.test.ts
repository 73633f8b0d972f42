import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type ErrorCode, errors } from '@qunxin/contracts'
import t from 'tap'
import { eventually } from '../eventually.ts'
import { drawFrom } from '../load/faults/draw.ts'
import { type Person, people } from '../people.ts'
import type { Data } from '../raw-socket.ts'
import { testSystem } from '../system.ts'
import { killAndWait } from './processes.ts'

const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))
t.comment(`TEST_SEED=${seed}`)
const PAIRS = 6
const SEND_EVERY_MS = 40
const RETRY_MS = 100

const system = await testSystem(t, { gateways: 2, messageServices: 4, restartWithinMs: 500 })
const newPerson = people(t, system)

/** Times are of Date.now(): everything here runs on one machine, the services too. */
interface Pair {
  blocker: Person
  blocked: Person
  /** From the answer to a block until it was asked to be taken back. */
  spells: { from: number; to: number }[]
  /** When each message of the blocked one was begun to be sent, and what became of it. */
  sent: { msgId: string; begunAt: number; stored: boolean; duplicate: boolean }[]
  /** serverReceiveDate of what was shown to the blocker. */
  shown: { msgId: string; at: number }[]
  faults: unknown[]
}

async function newPair(): Promise<Pair> {
  const [blocker, blocked] = [await newPerson(), await newPerson()]
  const pair: Pair = { blocker, blocked, spells: [], sent: [], shown: [], faults: [] }
  const client = await blocker.client({ gateway: randomInt(2) })
  client.on('message', ({ msgId, serverReceiveDate: at, fromUserId }) => {
    if (fromUserId === blocked.number) pair.shown.push({ msgId, at })
  })
  return pair
}

/** Until there is an answer that says what was done; one that says to come again is no such thing. */
async function untilKnown(ask: () => Promise<{ data: Data }>): Promise<Data> {
  for (;;) {
    const { data } = await ask()
    if (data.success || !errors[data.code as ErrorCode].retryable) return data
    await delay(RETRY_MS)
  }
}

async function keepSending({ blocker, blocked, sent, faults }: Pair, over: AbortSignal): Promise<void> {
  for (let count = 0; !over.aborted; count++) {
    const message = { toUserId: blocker.id, msgId: `m${count}`, msgContentType: 1, contentStr: `text ${count}` }
    const begunAt = Date.now()
    const answer = await untilKnown(() => blocked.post('/chat/chat!sendMessage', message, { gateway: count }))
    if (!answer.success && answer.code !== 'NOT_ALLOWED') faults.push(answer)
    sent.push({ msgId: message.msgId, begunAt, stored: answer.success, duplicate: answer.duplicate === true })
    await delay(SEND_EVERY_MS)
  }
}

/** Blocks and takes it back in turns; between two of these sends are accepted or refused, as they should be. */
async function blockInTurns(pair: Pair, random: () => number, over: AbortSignal): Promise<void> {
  const { blocker, blocked, sent, spells } = pair
  const ask = (tag: 'blockUser' | 'unblockUser') =>
    untilKnown(() => blocker.post(`/chat/chat!${tag}`, { blockUserId: blocked.id }, { gateway: randomInt(2) }))
  const next = async (stored: boolean) => {
    const from = sent.length
    await eventually(
      () => sent.slice(from).some((one) => one.stored === stored),
      `a message is ${stored ? '' : 'not '}taken`,
    )
  }
  while (!over.aborted) {
    await next(true)
    await delay(random() * 300)
    await ask('blockUser')
    const from = Date.now()
    await next(false)
    await delay(random() * 1_000)
    spells.push({ from, to: Date.now() })
    await ask('unblockUser')
  }
}

/** All that the blocker's history has of the other, by msgId. */
async function storedAt({ blocker, blocked }: Pair): Promise<Map<string, number>> {
  const stored = new Map<string, number>()
  for (let lastTime = 0; ; ) {
    const page = await untilKnown(() =>
      blocker.post('/chat/chat!loadChatRecords', { chatUserId: blocked.id, lastTime, pageSize: 200 }),
    )
    for (const { msg_id, timestamp } of page.recordList) {
      stored.set(msg_id, timestamp)
      lastTime = timestamp
    }
    if (page.recordList.length === 0) return stored
  }
}

async function breaches(pair: Pair): Promise<string[]> {
  const { spells, sent, shown, faults } = pair
  const during = (at: number) => spells.some(({ from, to }) => at > from && at < to)
  const stored = await storedAt(pair)
  return [
    ...faults.map((fault) => JSON.stringify(fault)),
    ...[...stored].filter(([, at]) => during(at)).map(([msgId, at]) => `${msgId} stored at ${at}`),
    ...shown.filter(({ at }) => during(at)).map(({ msgId, at }) => `${msgId} of ${at} shown`),
    ...sent.filter((one) => one.stored && !stored.has(one.msgId)).map(({ msgId }) => `${msgId} lost`),
    ...sent.filter((one) => !one.stored && stored.has(one.msgId)).map(({ msgId }) => `${msgId} refused, and stored`),
  ]
}

t.test('a block holds from its answer on while message-services are killed and stand still', async (t) => {
  const pairs = await Promise.all(Array.from({ length: PAIRS }, newPair))
  const [done, over] = [new AbortController(), new AbortController()]
  const sending = pairs.map((pair) => keepSending(pair, over.signal))
  const blocking = pairs.map((pair, index) => blockInTurns(pair, drawFrom(seed, index).next, done.signal))
  await eventually(() => pairs.every(({ spells }) => spells.length > 0), 'everybody has blocked once')
  const sleeper = system.pid('message-service-2')
  process.kill(sleeper, 'SIGSTOP')
  await Promise.all([killAndWait(system, 'message-service-1'), delay(3_500)])
  process.kill(sleeper, 'SIGCONT')
  await delay(500)
  await killAndWait(system, 'message-service-3')
  await delay(1_000)
  done.abort()
  await Promise.all(blocking)
  over.abort()
  await Promise.all(sending)
  const sum = (of: (pair: Pair) => number) => pairs.reduce((all, pair) => all + of(pair), 0)
  t.comment(`${sum(({ spells }) => spells.length)} blocks, ${sum(({ sent }) => sent.length)} sends`)
  t.same((await Promise.all(pairs.map(breaches))).flat().slice(0, 10), [])
})
