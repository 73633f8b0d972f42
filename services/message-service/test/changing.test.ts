import type { SendEntry } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import t from 'tap'
import { changeHandlers } from '../src/changing.ts'
import { ReadGate } from '../src/reads/read-gate.ts'
import { MemoryLog } from '../src/store/memory-log.ts'
import { message } from './sample.ts'

const context = (user: string) => ({ user, requestId: 'r', deadline: Date.now() + 5_000 })

/** The handlers over a log that begins with these, at a time that stands still, and what they asked the owner for. */
async function setup(
  options: { now?: number; visible?: { afterTime: number; afterSeq?: number; toSeq?: number }[] } = {},
) {
  const log = new MemoryLog()
  const asked: SendEntry[] = []
  const handlers = changeHandlers({
    log,
    membership: {
      memberOf: async (_group, user) => {
        if (user === '9') throw new AppError('NOT_A_MEMBER')
        return { joinedAt: 0, role: 'member', ...(options.visible && { visible: options.visible }) }
      },
    },
    gate: new ReadGate({ atOnce: 1, waiting: 1 }),
    askToSend: async (send) => {
      asked.push(send)
      return { id: send.id, seq: 50, at: 5_000 }
    },
    limits: { recall: 60_000, edit: 60_000 },
    clock: { now: () => options.now ?? 2_000 },
  })
  const recall = (user: string, input: { sessionId?: string; peerUserId?: string; seq: number }) =>
    handlers['message.recallMessage']({ sessionId: undefined, peerUserId: undefined, ...input }, context(user))
  const edit = (user: string, input: { peerUserId: string; seq: number; msgId: string; contentStr: string }) =>
    handlers['message.editMessage']({ sessionId: undefined, ...input }, context(user))
  return { log, asked, recall, edit }
}

t.test('a change goes to the owner like a message, under a msgId that no client can take', async (t) => {
  const { log, asked, recall, edit } = await setup()
  await log.append([message({ type: 2, attachment: { url: 'u' } }), message({ group: '5' })])
  t.same(await recall('1', { peerUserId: '2', seq: 1 }), { seq: 50, serverReceiveDate: 5_000 })
  t.match(await recall('1', { sessionId: '5', seq: 1 }), { seq: 50 })
  await edit('1', { peerUserId: '2', seq: 1, msgId: 'e', contentStr: '' })
  const change = { seq: 1, msgId: 'm1' }
  const personal = { id: 0, conn: '', conversation: 'p1-2', from: '1', to: '2', type: 2, text: '' }
  t.strictSame(asked, [
    { ...personal, msgId: 'recall:1', change: { kind: 'recall', ...change } },
    {
      id: 0,
      conn: '',
      conversation: 'g5',
      from: '1',
      group: '5',
      type: 1,
      text: '',
      msgId: 'recall:1',
      change: { kind: 'recall', ...change },
    },
    { ...personal, msgId: 'e', change: { kind: 'edit', ...change } },
  ])
})

t.test('too late is too late, but what was done in time is asked for again', async (t) => {
  const { log, asked, recall, edit } = await setup({ now: 100_000 })
  await log.append([
    message(),
    message({ seq: 2, msgId: 'e', text: 'b', change: { kind: 'edit', seq: 1, msgId: 'm1' } }),
    message({ seq: 3, msgId: 'plain' }),
  ])
  await t.rejects(recall('1', { peerUserId: '2', seq: 1 }), { code: 'TOO_LATE' })
  await t.rejects(edit('1', { peerUserId: '2', seq: 1, msgId: 'other', contentStr: 'b' }), { code: 'TOO_LATE' })
  await t.rejects(edit('1', { peerUserId: '2', seq: 1, msgId: 'plain', contentStr: 'b' }), { code: 'TOO_LATE' })
  t.same(asked, [])
  t.match(await edit('1', { peerUserId: '2', seq: 1, msgId: 'e', contentStr: 'b' }), { seq: 50 })
  await log.append([message({ seq: 4, msgId: 'recall:1', text: '', change: { kind: 'recall', seq: 1, msgId: 'm1' } })])
  t.match(await recall('1', { peerUserId: '2', seq: 1 }), { seq: 50 }, 'before it is done')
  await log.applyChanges(await log.newest('p1-2', { limit: 1 }))
  t.match(await recall('1', { peerUserId: '2', seq: 1 }), { seq: 50 }, 'and after it')
})

t.test('a text message cannot be edited to nothing', async (t) => {
  const { log, edit } = await setup()
  await log.append([message()])
  await t.rejects(edit('1', { peerUserId: '2', seq: 1, msgId: 'e', contentStr: '' }), {
    code: 'BAD_REQUEST',
    details: { field: 'contentStr' },
  })
})

t.test('in a group who is no member is told so, and what a member may not see is not there', async (t) => {
  const { log, recall } = await setup({ visible: [{ afterTime: 0, afterSeq: 1 }] })
  await log.append([1, 2].map((seq) => message({ group: '5', seq })))
  await t.rejects(recall('9', { sessionId: '5', seq: 1 }), { code: 'NOT_A_MEMBER' })
  await t.rejects(recall('3', { sessionId: '5', seq: 1 }), { code: 'MESSAGE_NOT_FOUND' })
  await t.rejects(recall('3', { sessionId: '5', seq: 2 }), { code: 'NOT_ALLOWED' })
})
