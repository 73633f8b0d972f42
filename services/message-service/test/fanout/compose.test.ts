import { DELIVERY_LIMITS, decodeDelivery, type FrameItem } from '@qunxin/contracts'
import t from 'tap'
import type { Message } from '../../src/domain/message.ts'
import { compose, type Publication } from '../../src/fanout/compose.ts'
import type { JobItem } from '../../src/fanout/job.ts'
import { accepted, message, reachOf, run } from '../sample.ts'

const on = (...nodes: string[]): ReadonlySet<string> => new Set(nodes)

function stored(fields: Partial<Message>, node: string, id = 1): JobItem {
  const one = message(fields)
  return {
    frame: { message: one, except: `conn-${node}`, again: false },
    answered: { run: run(node), answer: accepted(id, one.seq) },
  }
}

function read(publications: readonly Publication[]) {
  return publications.map((publication) => {
    if ('reply' in publication) return { to: publication.reply, items: JSON.parse(publication.payload) }
    const { delivery, bodies } = decodeDelivery(publication.payload)
    let body = 0
    const items = delivery.items.map((item) =>
      item.kind === 'answer'
        ? { answer: item.answer.id }
        : { ...item, data: JSON.parse(Buffer.from(bodies[body++]!).toString()).data },
    )
    return { to: publication.node, items }
  })
}

const members = new Map([['5', new Set(['1', '2', '3'])]])
const reach = (routes: Map<string, ReadonlySet<string>>) => reachOf(routes, members)

t.test('frames and answers of one node travel together, each answer behind its message', async (t) => {
  const routes = new Map([
    ['1', on('a')],
    ['2', on('a')],
  ])
  const job = [stored({ seq: 1 }, 'a', 11), stored({ seq: 2 }, 'a', 12)]
  const published = read(compose(job, { instance: 'i', ...reach(routes) }))
  t.equal(published.length, 1)
  t.equal(published[0]!.to, 'a')
  t.match(published[0]!.items, [
    { kind: 'frame', seq: 1, users: ['2', '1'], except: 'conn-a', conversation: 'p1-2' },
    { answer: 11 },
    { kind: 'frame', seq: 2 },
    { answer: 12 },
  ])
})

t.test('frames for every node leave before the first answer', async (t) => {
  const routes = new Map([
    ['1', on('a')],
    ['2', on('b', 'c')],
  ])
  const job = [stored({ seq: 1 }, 'a', 11), stored({ seq: 2, from: '2', to: '1' }, 'b', 12)]
  const published = read(compose(job, { instance: 'i', ...reach(routes) }))
  const firstAnswer = published.findIndex(({ items }) => items.some((item: object) => 'answer' in item))
  const lastFrame = published.findLastIndex(({ items }) => items.some((item: object) => 'kind' in item))
  t.ok(firstAnswer > lastFrame)
  t.same(
    published.slice(firstAnswer).map(({ to, items }) => [to, items]),
    [
      ['a', [{ answer: 11 }]],
      ['b', [{ answer: 12 }]],
    ],
  )
})

t.test('when one node gets all answers, its delivery is the last', async (t) => {
  const routes = new Map([
    ['1', on('a')],
    ['2', on('b')],
  ])
  const published = read(compose([stored({ seq: 1 }, 'a', 11)], { instance: 'i', ...reach(routes) }))
  t.same(
    published.map(({ to }) => to),
    ['b', 'a'],
  )
  t.match(published[1]!.items, [{ kind: 'frame', users: ['1'] }, { answer: 11 }])
})

t.test('an audience over the limit of entries is split, and every user is named once', async (t) => {
  const users = Array.from({ length: 2_500 }, (_, i) => String(i + 1))
  const routes = new Map(users.map((user) => [user, on('a')] as const))
  const job = [stored({ group: '5' }, 'a')]
  const published = read(compose(job, { instance: 'i', ...reachOf(routes, new Map([['5', new Set(users)]])) }))
  t.equal(published.length, 3)
  const named = published.flatMap(({ items }) => items.flatMap((item: FrameItem) => item.users ?? []))
  t.same(named, users)
  t.ok(published.every(({ items }) => items.length <= DELIVERY_LIMITS.entries))
})

t.test('what is too large for one NATS message goes in several, in order', async (t) => {
  const routes = new Map([
    ['1', on('a')],
    ['2', on('a')],
  ])
  const job = Array.from({ length: 200 }, (_, i) => stored({ seq: i + 1, text: '长'.repeat(5_000) }, 'a', i + 1))
  const publications = compose(job, { instance: 'i', ...reach(routes) })
  t.ok(publications.length >= 6)
  for (const { payload } of publications) t.ok(payload.length <= DELIVERY_LIMITS.bytes)
  const seqs = read(publications).flatMap(({ items }) => items.flatMap((item: FrameItem) => item.seq ?? []))
  t.same(
    seqs,
    Array.from({ length: 200 }, (_, i) => i + 1),
  )
})

t.test('a group whose members are not known is neither delivered nor answered; the rest is', async (t) => {
  const routes = new Map([
    ['1', on('a')],
    ['2', on('a')],
  ])
  const job = [stored({ group: '6' }, 'a', 11), stored({ seq: 3 }, 'a', 12)]
  const [published, ...more] = read(compose(job, { instance: 'i', ...reach(routes) }))
  t.same(more, [])
  t.match(published!.items, [{ kind: 'frame', seq: 3 }, { answer: 12 }])
})

t.test('a message sent out again says whose it was, so that a waiting sender is not shown it', async (t) => {
  const again = { frame: { message: message({ from: '1', msgId: 'm9' }), except: '', again: true } }
  const [published] = read(compose([again], { instance: 'i', ...reach(new Map([['2', on('a')]])) }))
  t.match(published!.items, [{ again: { from: '1', msgId: 'm9' }, users: ['2'] }])
  t.notOk('except' in published!.items[0])
})

t.test('who joined later gets neither what was sent before nor what is sent round again, but pushes', async (t) => {
  const routes = new Map([
    ['1', on('a')],
    ['2', on('a', 'b')],
    ['3', on('b')],
  ])
  const again = { frame: { message: message({ seq: 3, group: '5' }), except: '', again: true } }
  const push = { tag: 'groupChanged', data: {}, to: { group: '5' } }
  const behind = (group: string, seq: number) => new Set(group === '5' && seq <= 3 ? ['2', '3'] : [])
  const job = [stored({ seq: 2, group: '5' }, 'a'), again, { push }, stored({ seq: 4, group: '5' }, 'a')]
  const published = read(compose(job, { instance: 'i', ...reach(routes), behind }))
  const got = (node: string) =>
    published.filter(({ to }) => to === node).flatMap(({ items }) => items.filter((item: object) => 'users' in item))
  t.same(
    got('a').map(({ seq, users }: FrameItem) => [seq, users]),
    [
      [2, ['1']],
      [3, ['1']],
      [undefined, ['1', '2']],
      [4, ['1', '2']],
    ],
  )
  t.same(
    got('b').map(({ seq, users }: FrameItem) => [seq, users]),
    [
      [undefined, ['2', '3']],
      [4, ['2', '3']],
    ],
  )
})

t.test('who joined later gets none of the messages before, whoever else did', async (t) => {
  const routes = new Map(['1', '2', '3'].map((user) => [user, on(user === '3' ? 'b' : 'a')]))
  const later = [['2', '3'], ['2', '3'], ['3'], ['2'], ['2'], []]
  const job = later.map((_, index) => stored({ seq: index + 1, group: '5' }, 'a', index))
  const behind = (_: string, seq: number) => new Set(later[seq - 1])
  const published = read(compose(job, { instance: 'i', ...reach(routes), behind }))
  const usersOn = (node: string) =>
    published
      .filter(({ to }) => to === node)
      .flatMap(({ items }) =>
        items.flatMap(({ seq, users }: FrameItem) => (users ? [`${seq}: ${users.join('')}`] : [])),
      )
  t.same(usersOn('a'), ['1: 1', '2: 1', '3: 12', '4: 1', '5: 1', '6: 12'])
  t.same(usersOn('b'), ['4: 3', '5: 3', '6: 3'])
})

t.test('a batch with a reply subject is answered there, after the frames', async (t) => {
  const item = stored({ seq: 1 }, 'a', 11)
  item.answered!.run.reply = 'inbox'
  const published = read(compose([item], { instance: 'i', ...reach(new Map([['2', on('b')]])) }))
  t.match(published, [{ to: 'b' }, { to: 'inbox', items: [{ id: 11, seq: 1 }] }])
})

t.test('a push says which conversation it is about, whose cursors it carries, and who needs no telling', async (t) => {
  const cursor = { of: '2', delivered: 5, read: 4 }
  const push = { tag: 'messageState', data: {}, to: { users: ['1'] }, conversation: 'p1-2', except: 'c7', cursor }
  const plain = { tag: 'groupChanged', data: {}, to: { users: ['1'] } }
  const routes = new Map([['1', on('a')]])
  const [published] = read(compose([{ push }, { push: plain }], { instance: 'i', ...reach(routes) }))
  t.match(published!.items, [{ conversation: 'p1-2', except: 'c7', cursor }, { users: ['1'] }])
  for (const field of ['conversation', 'except', 'cursor']) t.notOk(field in published!.items[1], field)
})

t.test('pushes go to their users, or to the members as they are', async (t) => {
  const routes = new Map([
    ['1', on('a')],
    ['2', on('b')],
    ['9', on('a')],
  ])
  const job = [
    { push: { tag: 'groupListChanged', data: { groupId: '5' }, to: { users: ['9'] } } },
    { push: { tag: 'groupChanged', data: { groupId: '5' }, to: { group: '5' } } },
  ]
  const published = read(compose(job, { instance: 'i', ...reach(routes) }))
  t.match(published, [
    { to: 'a', items: [{ users: ['9'] }, { users: ['1'] }] },
    { to: 'b', items: [{ users: ['2'] }] },
  ])
})

t.test('a recall or an edit has a tag of its own, and its place among the messages', async (t) => {
  const change = { kind: 'recall', seq: 1, msgId: 'm1' } as const
  const job = [stored({ seq: 2, msgId: 'recall:1', text: '', change }, 'a')]
  const [published] = compose(job, { instance: 'i', ...reach(new Map([['2', on('a')]])) })
  const { delivery, bodies } = decodeDelivery((published as { payload: Uint8Array }).payload)
  t.match(delivery.items[0], { seq: 2, conversation: 'p1-2' })
  t.match(JSON.parse(Buffer.from(bodies[0]!).toString()), { tag: 'messageChanged', data: { seq: 2, change } })
})

t.test(
  'who may not read what an edit changes gets it without its text, and its author never is one of them',
  async (t) => {
    const routes = new Map(['1', '2', '3'].map((user) => [user, on('a')] as const))
    const change = { kind: 'edit', seq: 4, msgId: 'm4' } as const
    const { to: _, ...edit } = message({ conversation: 'g5', group: '5', seq: 9, text: 'new', change })
    const asked: unknown[] = []
    const mayRead = (...of: [string, number, string]) => {
      asked.push(of)
      return of[2] === '2'
    }
    const compute = (one: Message) =>
      read(
        compose([{ frame: { message: one, except: '', again: false } }], { instance: 'i', ...reach(routes), mayRead }),
      )
    t.match(compute(edit)[0]?.items, [
      { seq: 9, users: ['1', '2'], data: { contentStr: 'new', change, withheld: undefined } },
      { seq: 9, users: ['3'], data: { contentStr: '', change, withheld: true, seq: 9 } },
    ])
    t.same(asked, [
      ['5', 4, '2'],
      ['5', 4, '3'],
    ])
    const recall = { ...edit, text: '', change: { ...change, kind: 'recall' as const } }
    t.match(compute(recall)[0]?.items, [{ users: ['1', '2', '3'] }], 'a recall has nothing to withhold')
  },
)
