import type { ConversationId, SendAnswer } from '@qunxin/contracts'
import type { Db } from 'mongodb'
import type { Test } from 'tap'
import { eventually, type fakeGateway } from './harness.ts'

type Gateway = Awaited<ReturnType<typeof fakeGateway>>

export interface Writer {
  gateway: Gateway
  from: string
  to: { user: string } | { group: string }
}

interface Written extends Writer {
  conversation: ConversationId
  sent: { msgId: string; answer: SendAnswer }[]
}

const AT_ONCE = 3

/** Each writer sends a few at once and waits for their answers before it goes on. */
export function startWriting(writers: readonly Writer[]) {
  const over = new AbortController()
  let answered = 0
  const all = writers.map(async (writer): Promise<Written> => {
    const { gateway, from, to } = writer
    const { conversation } = gateway.entry(from, to)
    const sent: Written['sent'] = []
    while (!over.signal.aborted) {
      const entries = Array.from({ length: AT_ONCE }, () => gateway.entry(from, to))
      const answers = await gateway.send(...entries)
      for (const [index, answer] of answers.entries()) sent.push({ msgId: entries[index]!.msgId, answer })
      answered += entries.length
    }
    return { ...writer, conversation, sent }
  })
  return {
    get answered() {
      return answered
    },
    /** Resolves when quite some more are answered than now. */
    async more(what: string, count = 30) {
      const from = answered
      await eventually(`sends to be answered ${what}`, () => answered > from + count)
    },
    async end() {
      over.abort()
      return Promise.all(all)
    },
  }
}

/** Nothing refused; every message once, in the order sent, without a hole, under the seq it was answered with, and sent out. */
export async function checkWritten(t: Test, db: Db, written: readonly Written[]): Promise<void> {
  for (const [conversation, theirs = []] of Map.groupBy(written, (one) => one.conversation)) {
    const log = await db.collection('messages').find({ conversation }).sort({ _id: 1 }).toArray()
    const faults: string[] = []
    for (const [index, { _id, at }] of log.entries()) {
      if (Number(String(_id).slice(-16)) !== index + 1) faults.push(`${_id} stands at ${index + 1}`)
      if (index > 0 && at <= log[index - 1]!.at) faults.push(`${_id} is not after the one before it`)
    }
    for (const { from, sent } of theirs) {
      const refused = sent.filter(({ answer }) => 'code' in answer)
      if (refused.length > 0) faults.push(`${from} was refused ${JSON.stringify(refused[0])}`)
      const stored = log.flatMap(({ from: sender, msgId }, index) => (sender === from ? [`${msgId} ${index + 1}`] : []))
      const answered = sent.map(({ msgId, answer }) => `${msgId} ${'seq' in answer && answer.seq}`)
      const differs = answered.findIndex((one, index) => one !== stored[index])
      if (differs >= 0) faults.push(`${from} was answered ${answered[differs]}, stored is ${stored[differs]}`)
      if (stored.length !== answered.length) faults.push(`${from} sent ${answered.length}, stored are ${stored.length}`)
    }
    t.same(faults.slice(0, 10), [], `${log.length} messages of ${conversation}`)
    const gateways = new Set(theirs.map(({ gateway }) => gateway))
    for (const gateway of gateways)
      await eventually(`every message of ${conversation} to go out to ${gateway.node}`, () => {
        const seen = new Set(gateway.messages(conversation).map(({ item }) => item.seq))
        return seen.size === log.length
      })
  }
}

/** Mulberry32: the same seed makes the same choices, each below the number given. */
export function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
