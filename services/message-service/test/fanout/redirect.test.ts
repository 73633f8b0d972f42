import { decodeDelivery, encodeDelivery, type FrameItem, groupConversation, type UserId } from '@qunxin/contracts'
import t from 'tap'
import type { Message } from '../../src/domain/message.ts'
import { toMsgModel } from '../../src/domain/present.ts'
import { type RedirectOptions, redirect } from '../../src/fanout/redirect.ts'
import { message } from '../sample.ts'

const GONE = 'gone'
const LIVING = 'living'

/** What `gone` was sent of a group: one delivery per message. */
function deliveries(users: UserId[], seqs: number[], fields: Partial<FrameItem> = {}): Uint8Array[] {
  return seqs.map((seq) => {
    const body = Buffer.from(JSON.stringify({ tag: 'message', data: toMsgModel(message({ seq, group: '5' }), 1) }))
    const item = { kind: 'frame' as const, size: body.length, users, conversation: groupConversation('5'), seq }
    return encodeDelivery({ from: 'i', items: [{ ...item, ...fields }] }, [body])
  })
}

function setup(options: Partial<RedirectOptions> = {}) {
  const published: { node: string; items: FrameItem[] }[] = []
  const unreached: [UserId, number][] = []
  const unknown: number[] = []
  const all: RedirectOptions = {
    instance: 'i',
    routes: { nodesOf: async (users) => new Map([...users].map((user) => [user, new Set([GONE, LIVING])] as const)) },
    lives: (node) => node === LIVING,
    membersNow: async () => new Set(['1', '2']),
    publish: (node, payload) => published.push({ node, items: decodeDelivery(payload).delivery.items as FrameItem[] }),
    unknown: ({ seq }) => unknown.push(seq),
    unreached: ({ seq }, users) => unreached.push(...users.map((user): [UserId, number] => [user, seq])),
    ...options,
  }
  return { published, unreached, unknown, options: all }
}

t.test('what a gateway did not confirm goes to where its receivers are, in order and marked', async (t) => {
  const { published, unreached, options } = setup()
  await redirect(GONE, deliveries(['1', '2', '3'], [7, 8], { except: 'c1' }), options)
  t.match(published, [
    {
      node: LIVING,
      items: [
        { seq: 7, users: ['1', '2'], except: 'c1', again: { from: '1', msgId: 'm7' } },
        { seq: 8, users: ['1', '2'], except: 'c1', again: { from: '1', msgId: 'm8' } },
      ],
    },
  ])
  t.same(unreached, [])
})

t.test('who was kicked while the routes were looked up gets nothing of it', async (t) => {
  let members = new Set(['1', '2'])
  const looking = Promise.withResolvers<void>()
  const { published, options } = setup({
    membersNow: async () => members,
    routes: {
      nodesOf: async (users) => {
        await looking.promise
        return new Map([...users].map((user) => [user, new Set([LIVING])] as const))
      },
    },
  })
  const redirecting = redirect(GONE, deliveries(['1', '2'], [7]), options)
  await new Promise((resolve) => setImmediate(resolve))
  members = new Set(['1'])
  looking.resolve()
  await redirecting
  t.same(
    published.flatMap(({ items }) => items.map(({ users }) => users)),
    [['1']],
  )
})

t.test(
  'who is connected nowhere else is told of; of a group that cannot be asked for nothing is sent, and it is found out later',
  async (t) => {
    const nowhere = setup({ lives: () => false })
    await redirect(GONE, deliveries(['1'], [7, 8]), nowhere.options)
    t.same(nowhere.published, [])
    t.same(nowhere.unreached, [
      ['1', 7],
      ['1', 8],
    ])
    const unknown = setup({ membersNow: async () => undefined })
    await redirect(GONE, deliveries(['1'], [7]), unknown.options)
    t.same(unknown.published, [])
    t.same(unknown.unknown, [7])
    t.same(nowhere.unknown, [])
  },
)

t.test('the whole message is told of, and no recall or edit', async (t) => {
  const told: unknown[] = []
  const nowhere = setup({ lives: () => false, unreached: (...what) => told.push(what) })
  const original = message({ seq: 9, type: 2, text: '', attachment: { url: 'u', filename: 'f' }, sentAt: 5 })
  const send = (tag: string, one: Message) => {
    const body = Buffer.from(JSON.stringify({ tag, data: toMsgModel(one, 1) }))
    const { conversation, seq } = one
    const item = { kind: 'frame' as const, size: body.length, users: ['2', '1'], conversation, seq }
    return redirect(GONE, [encodeDelivery({ from: 'i', items: [item] }, [body])], nowhere.options)
  }
  await send('message', original)
  await send('messageChanged', message({ seq: 10 }))
  t.same(told, [[original, ['2', '1'], undefined]])
  told.length = 0
  const inGroup = message({ seq: 3, group: '5' })
  await send('message', inGroup)
  t.same(told, [[inGroup, ['2', '1'], new Set(['1', '2'])]])
})
