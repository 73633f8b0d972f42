import type { ErrorCode, SendAnswer } from '@qunxin/contracts'
import t, { type Test } from 'tap'
import { Sends } from '../../src/send/sends.ts'
import { send } from './sample.ts'

/** Sends whose batches nobody answers by themselves. */
function unanswered(t: Test, timeoutMs: number, instances = { ownerOf: () => 'owner', onChanged: () => {} }) {
  const bus = { writable: true, publish: () => {}, onReconnect: () => {} }
  const sends = new Sends({ bus, node: 'n1', partitions: 1, instances, timeoutMs })
  // Their own timer keeps no process alive.
  const alive = setInterval(() => {}, 1_000)
  t.teardown(() => {
    clearInterval(alive)
    sends.stop()
  })
  return sends
}

/** What the send ended with, or undefined while it is under way. */
function refusalOf(sends: Sends, msgId: string): ErrorCode | undefined {
  let ended: SendAnswer | undefined
  sends.submit(send(msgId), (answer) => {
    ended = answer
  })
  return ended && 'code' in ended ? ended.code : undefined
}

t.test('one that its owner refuses opens the row, also when one behind it was refused before it', async (t) => {
  const sends = unanswered(t, 5_000)
  t.equal(refusalOf(sends, 'm1'), undefined)
  sends.refused(send('m2'), 'UNAVAILABLE')
  sends.answered({ id: 1, code: 'UNAVAILABLE' }, 'owner')
  t.not(refusalOf(sends, 'm2'), undefined, 'in front of it one has to come again')
  t.equal(refusalOf(sends, 'm1'), undefined)
  t.equal(refusalOf(sends, 'm2'), undefined)
})

t.test('one that times out opens the row, also when one behind it was refused before it', async (t) => {
  const sends = unanswered(t, 1)
  const first = new Promise<SendAnswer>((ended) => sends.submit(send('m0'), ended))
  const second = new Promise<SendAnswer>((ended) => sends.submit(send('m1'), ended))
  sends.refused(send('m2'), 'UNAVAILABLE')
  t.match(await first, { code: 'TIMEOUT' })
  t.match(await second, { code: 'TIMEOUT' })
  t.not(refusalOf(sends, 'm1'), undefined, 'the first of them is to come first')
  t.not(refusalOf(sends, 'm2'), undefined)
  t.equal(refusalOf(sends, 'm0'), undefined)
  t.equal(refusalOf(sends, 'm1'), undefined)
  t.equal(refusalOf(sends, 'm2'), undefined)
})

t.test('what an owner of before refuses is for the one of now to say, and what it has stored is stored', async (t) => {
  const sends = unanswered(t, 5_000)
  const answers: SendAnswer[] = []
  sends.submit(send('m1'), (answer) => answers.push(answer))
  sends.submit(send('m2', { conn: 'c2' }), (answer) => answers.push(answer))
  sends.answered({ id: 1, code: 'NOT_ALLOWED' }, 'before')
  t.same(answers, [])
  sends.answered({ id: 1, code: 'NOT_ALLOWED' }, 'owner')
  sends.answered({ id: 2, seq: 1, at: 1 }, 'before')
  t.match(answers, [{ code: 'NOT_ALLOWED' }, { seq: 1 }])
})
