import { type ConversationId, personalConversation } from '@qunxin/contracts'
import type { Test } from 'tap'
import type { Message } from '../../src/domain/message.ts'
import type { Conversations } from '../../src/store/conversations.ts'
import type { Cursors } from '../../src/store/cursors.ts'
import type { Floors } from '../../src/store/floors.ts'
import type { MessageLog } from '../../src/store/message-log.ts'
import type { Overviews } from '../../src/store/overviews.ts'
import type { Preferences } from '../../src/store/preferences.ts'
import { message } from '../sample.ts'

export interface Stores {
  log: MessageLog
  cursors: Cursors
  conversations: Conversations
  floors: Floors
  preferences: Preferences
  overviews: Overviews
}

const NOTHING = { after: undefined, groups: [], points: [] }
const seqOf = (found: ReadonlyMap<ConversationId, Message>) => [...found].map(([id, { seq }]) => [id, seq]).sort()

/** What every store does with many conversations at once; `open` gives empty ones. */
export async function overviewsSuite(t: Test, open: () => Promise<Stores>): Promise<void> {
  const talk = (log: MessageLog, conversation: ConversationId, authors: string[], fields: Partial<Message> = {}) =>
    log.append(
      authors.map((from, index) => message({ conversation, from, seq: index + 1, at: 100 + index * 10, ...fields })),
    )

  t.test('personal conversations come by their hints in pages, those of one time by id', async (t) => {
    const { conversations, overviews } = await open()
    for (const [peer, at] of Object.entries({ 2: 5, 3: 7, 4: 7, 5: 9 })) await conversations.begin([`p1-${peer}`], at)
    await conversations.begin(['p6-7'], 8)
    const first = await overviews.places('1', { ...NOTHING, limit: 2 })
    t.same(first.personal, [
      { conversation: 'p1-5', at: 9 },
      { conversation: 'p1-3', at: 7 },
    ])
    const second = await overviews.places('1', { ...NOTHING, after: first.personal[1], limit: 9 })
    t.same(second.personal, [
      { conversation: 'p1-4', at: 7 },
      { conversation: 'p1-2', at: 5 },
    ])
  })

  t.test('a hint moves both users’ rows forward, never back, and makes none', async (t) => {
    const { conversations, overviews } = await open()
    await conversations.begin(['p1-2'], 5)
    await conversations.touch([
      { conversation: 'p1-2', at: 9 },
      { conversation: 'p1-3', at: 9 },
    ])
    await conversations.touch([{ conversation: 'p1-2', at: 7 }])
    await conversations.touch([])
    for (const user of ['1', '2'])
      t.same((await overviews.places(user, { ...NOTHING, limit: 9 })).personal, [{ conversation: 'p1-2', at: 9 }])
    t.same((await overviews.places('3', { ...NOTHING, limit: 9 })).personal, [])
  })

  t.test('groups have the time of their newest entry, and times their seqs', async (t) => {
    const { log, overviews } = await open()
    await talk(log, 'g5', ['1', '2', '3'], { group: '5' })
    const points = [99, 100, 119, 500].map((time) => ({ conversation: 'g5', time }))
    const found = await overviews.places('1', { ...NOTHING, limit: 9, groups: ['g5', 'g6'], points })
    t.same(found, { personal: [], groups: [{ conversation: 'g5', at: 120 }], seqs: [0, 1, 2, 3] })
  })

  t.test('details are heads, cursors of both users or one’s own, floors and what is muted', async (t) => {
    const { log, cursors, floors, preferences, overviews } = await open()
    await talk(log, 'p1-2', ['1', '2'])
    await talk(log, 'g5', ['3'], { group: '5' })
    await cursors.advance([
      { user: '1', conversation: 'p1-2', deliveredSeq: 2, readSeq: 1 },
      { user: '2', conversation: 'p1-2', deliveredSeq: 1 },
      { user: '1', conversation: 'g5', deliveredSeq: 1 },
      { user: '9', conversation: 'g5', deliveredSeq: 1 },
    ])
    const floor = { delivered: [['1', 1] as [string, number]], read: [['1', 0] as [string, number]] }
    await floors.raise([{ _id: 'g5', version: 1, ...floor }])
    const mute = { conversation: 'g5', version: 0, muted: true }
    await preferences.change({ user: '1', ...mute })
    await preferences.change({ user: '9', ...mute, conversation: 'p1-2' })
    const conversations = ['p1-2', 'p1-3', 'g5']
    const found = await overviews.details('1', { conversations, points: [{ conversation: 'g5', time: 100 }] })
    t.same(seqOf(found.heads), [
      ['g5', 1],
      ['p1-2', 2],
    ])
    t.strictSame(found.heads.get('p1-2'), message({ from: '2', seq: 2, at: 110 }))
    t.same(
      found.cursors.get('p1-2'),
      new Map([
        ['1', { deliveredSeq: 2, readSeq: 1 }],
        ['2', { deliveredSeq: 1, readSeq: 0 }],
      ]),
    )
    t.same(found.cursors.get('g5'), new Map([['1', { deliveredSeq: 1, readSeq: 0 }]]))
    t.same([...found.floors], [['g5', floor]])
    t.same([[...found.muted], found.seqs], [['g5'], [1]])
  })

  t.test(
    'of windows there are the times of both ends and the changes inside, of ranges the last message',
    async (t) => {
      const { log, overviews } = await open()
      await talk(log, 'g5', ['1', '2', '3'], { group: '5' })
      const change = { kind: 'recall' as const, seq: 2, msgId: 'm2' }
      await log.append([message({ group: '5', seq: 4, at: 130, from: '2', change })])
      await talk(log, 'p1-2', ['1'])
      const windows = [
        { conversation: 'g5', fromSeq: 2, toSeq: 4 },
        { conversation: 'p1-2', fromSeq: 7, toSeq: 9 },
      ]
      const lasts = [
        { conversation: 'g5', ranges: [{ fromSeq: 1, toSeq: 2 }, { fromSeq: 4 }] },
        { conversation: 'p1-2', ranges: [{ fromSeq: 2 }] },
      ]
      const found = await overviews.begins({ windows, lasts })
      t.same([...(found.times.get('g5') ?? [])].sort(), [
        [2, 110],
        [4, 130],
      ])
      t.same(found.times.get('p1-2')?.size ?? 0, 0)
      t.match(found.changes.get('g5'), [{ from: '2', seq: 4, change: { kind: 'recall', seq: 2 } }])
      t.same(found.changes.get('p1-2') ?? [], [])
      t.same(seqOf(found.lasts), [['g5', 2]])
      t.match(await overviews.begins({ windows: [], lasts: lasts.slice(1) }), { times: new Map(), lasts: new Map() })
    },
  )

  t.test('entries of others are counted between two times, no further than asked', async (t) => {
    const { log, overviews } = await open()
    await talk(log, 'g5', ['2', '1', '2', '1', '3', '2'], { group: '5' })
    await talk(log, 'p1-2', ['1', '2', '2'])
    const counted = await overviews.countOthers('1', [
      { conversation: 'g5', fromTime: 110, toTime: 140, limit: 10 },
      { conversation: 'p1-2', fromTime: 0, toTime: 999, limit: 1 },
    ])
    t.same([counted.get('g5'), counted.get('p1-2')], [2, 1])
    t.equal((await overviews.countOthers('1', [])).size, 0)
  })

  t.test('personal conversations are found by id from anywhere on, with the newest seqs of others', async (t) => {
    const { log, conversations, overviews } = await open()
    for (const peer of ['2', '30', '4']) await conversations.begin([personalConversation('1', peer)], 5)
    await conversations.begin(['p2-11'], 5)
    await talk(log, 'g5', ['1', '2'], { group: '5' })
    const ask = { limit: 2, heads: ['g5', 'p1-2'], points: [] }
    const first = await overviews.begun('1', { ...ask, after: '' })
    t.same(first.personal, ['p1-2', 'p1-30'])
    t.same([...first.heads], [['g5', 2]])
    t.same((await overviews.begun('1', { ...ask, after: 'p1-30' })).personal, ['p1-4'])
    t.same((await overviews.begun('1', { ...ask, after: 'g7' })).personal, ['p1-2', 'p1-30'])
    t.same((await overviews.begun('11', { ...ask, after: '' })).personal, ['p2-11'])
  })

  t.test('entries are read by their places, and how far their readers are', async (t) => {
    const { log, cursors, overviews } = await open()
    await talk(log, 'p1-2', ['1', '2', '1'])
    await cursors.advance([{ user: '2', conversation: 'p1-2', readSeq: 1 }])
    const asked = [2, 3, 4].map((seq) => ({ conversation: 'p1-2', seq }))
    t.same((await overviews.entries(asked)).map(({ seq }) => seq).sort(), [2, 3])
    t.same(await overviews.entries([]), [])
    const found = await overviews.standing({ readers: ['p1-2', 'g5'], heads: ['p1-2', 'p1-9'] })
    t.same(found.cursors.get('p1-2'), new Map([['2', { deliveredSeq: 0, readSeq: 1 }]]))
    t.same([...found.heads], [['p1-2', 3]])
    t.equal((await overviews.standing({ readers: [], heads: [] })).heads.size, 0)
  })
}
