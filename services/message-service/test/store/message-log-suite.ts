import type { Test } from 'tap'
import type { Message } from '../../src/domain/message.ts'
import type { MessageLog } from '../../src/store/message-log.ts'
import { message } from '../sample.ts'

const seqs = (messages: readonly Message[]) => messages.map(({ seq }) => seq)
const upTo = (last: number, fields: Partial<Message> = {}) =>
  Array.from({ length: last }, (_, i) => message({ seq: i + 1, ...fields }))

/** What every message log does; `open` gives an empty one. */
export async function messageLogSuite(t: Test, open: () => Promise<MessageLog>): Promise<void> {
  t.test('what was appended is read back as it was', async (t) => {
    const log = await open()
    const personal = message({ sentAt: 12, type: 3, attachment: { lat: 1.5, lng: 2, addr: '某处' } })
    const inGroup = message({ group: '77', from: '9' })
    t.same(await log.append([personal, inGroup]), { stored: 2 })
    t.strictSame(await log.oldest('p1-2', { limit: 10 }), [personal])
    t.strictSame(await log.oldest('g77', { limit: 10 }), [inGroup])
  })

  t.test('an append stops at the first seq that is taken', async (t) => {
    const log = await open()
    await log.append(upTo(2))
    const rival = message({ seq: 2, msgId: 'rival' })
    const behind = message({ seq: 3 })
    t.same(await log.append([message({ group: '1' }), rival, behind]), { stored: 1, stoppedBy: 'seq' })
    t.same(seqs(await log.oldest('p1-2', { limit: 10 })), [1, 2])
  })

  t.test('an append stops at the first msgId its sender has used in the conversation', async (t) => {
    const log = await open()
    await log.append(upTo(2))
    const repeat = message({ seq: 3, msgId: 'm1' })
    t.same(await log.append([repeat, message({ seq: 4 })]), { stored: 0, stoppedBy: 'msgId' })
    t.same(await log.append([message({ seq: 3, msgId: 'm1', from: '2', to: '1' })]), { stored: 1 })
    t.same(await log.append([message({ group: '5', msgId: 'm1' })]), { stored: 1 })
  })

  t.test('the tail is the newest position and the newest messages, oldest first', async (t) => {
    const log = await open()
    t.same(await log.tail('p1-2', 3), { seq: 0, at: 0, recent: [] })
    const messages = upTo(5)
    await log.append(messages)
    const tail = await log.tail('p1-2', 3)
    t.match(tail, { seq: 5, at: messages[4]!.at })
    t.same(
      tail.recent,
      messages.slice(2).map(({ from, msgId, seq, at, hash }) => ({ from, msgId, seq, at, hash })),
    )
  })

  t.test('the tails of many are those of each', async (t) => {
    const log = await open()
    await log.append(upTo(5))
    await log.append([1, 2].map((seq) => message({ group: '5', seq })))
    const all = ['g5', 'p1-9', 'p1-2', 'p1-9']
    for (const some of [[], ['p1-2'], all])
      t.same(await log.tails(some, 3), await Promise.all(some.map((one) => log.tail(one, 3))))
  })

  t.test('an original is found by its key, and nothing by another', async (t) => {
    const log = await open()
    await log.append(upTo(3))
    const found = await log.originals([
      { conversation: 'p1-2', from: '1', msgId: 'm3' },
      { conversation: 'p1-2', from: '2', msgId: 'm3' },
      { conversation: 'p1-2', from: '1', msgId: 'm1' },
    ])
    t.same(
      found.map((original) => original?.seq),
      [3, undefined, 1],
    )
  })

  t.test('a message counts as stored when it stands under its seq just as it was', async (t) => {
    const log = await open()
    await log.append(upTo(2))
    const asked = [
      message({ seq: 1 }),
      message({ seq: 2, msgId: 'other' }),
      message({ seq: 2, at: 1 }),
      message({ seq: 3 }),
    ]
    t.same(await log.stored(asked), [true, false, false, false])
  })

  t.test('records after a time come oldest first, without those of that time', async (t) => {
    const log = await open()
    await log.append(upTo(6))
    t.same(seqs(await log.after('p1-2', 1_002, 3)), [3, 4, 5])
    t.same(seqs(await log.after('p1-2', 1_006, 3)), [])
    t.same(seqs(await log.after('p1-3', 0, 3)), [])
  })

  t.test('a range has both its ends and comes oldest first from either side', async (t) => {
    const log = await open()
    await log.append([...upTo(12), message({ seq: 13, from: '2', to: '1' })])
    t.same(seqs(await log.oldest('p1-2', { fromSeq: 3, toSeq: 11, limit: 4 })), [3, 4, 5, 6])
    t.same(seqs(await log.newest('p1-2', { fromSeq: 3, toSeq: 11, limit: 4 })), [8, 9, 10, 11])
    t.same(seqs(await log.newest('p1-2', { limit: 2 })), [12, 13])
    t.same(seqs(await log.newest('p1-2', { notFrom: '2', limit: 2 })), [11, 12])
    t.same(seqs(await log.newest('p1-2', { afterTime: 1_011, limit: 9 })), [12, 13])
  })

  t.test('several parts of a conversation come as one, in order of seq from either side', async (t) => {
    const log = await open()
    await log.append([...upTo(12), message({ seq: 13, from: '2', to: '1' }), message({ group: '5', seq: 4 })])
    const within = [{ fromSeq: 2, toSeq: 3 }, { fromSeq: 6, toSeq: 7 }, { fromSeq: 10 }]
    t.same(seqs(await log.oldest('p1-2', { within, limit: 4 })), [2, 3, 6, 7])
    t.same(seqs(await log.newest('p1-2', { within, limit: 5 })), [7, 10, 11, 12, 13])
    t.same(seqs(await log.newest('p1-2', { within, toSeq: 10, notFrom: '2', limit: 3 })), [6, 7, 10])
    t.same(seqs(await log.oldest('p1-2', { within, fromSeq: 3, toSeq: 6, limit: 9 })), [3, 6])
    t.same(seqs(await log.oldest('p1-2', { within, fromSeq: 4, toSeq: 5, limit: 9 })), [])
    t.same(seqs(await log.oldest('p1-2', { within: [], limit: 9 })), [])
  })

  t.test('a time is that of the newest message that is not later, each in its own conversation', async (t) => {
    const log = await open()
    await log.append([...upTo(5), message({ group: '5', seq: 1, at: 1_003 })])
    const points = [
      { conversation: 'p1-2', time: 1_003 },
      { conversation: 'g5', time: 1_002 },
      { conversation: 'p1-2', time: 9_000 },
      { conversation: 'g5', time: 1_003 },
      { conversation: 'p1-2', time: 1_000 },
      { conversation: 'g6', time: 9_000 },
    ]
    t.same(await log.seqsAt(points), [3, 0, 5, 1, 0, 0])
    t.same(await log.seqsAt([]), [])
  })

  t.test('conversations whose ids begin alike are not mixed up', async (t) => {
    const log = await open()
    await log.append([message({ group: '1' }), message({ group: '12' }), ...upTo(2, { group: '123' })])
    t.equal((await log.tail('g12', 10)).seq, 1)
    t.same(seqs(await log.newest('g1', { limit: 10 })), [1])
  })

  t.test('who sent something after a time is told with when they last did', async (t) => {
    const log = await open()
    const inGroup = (seq: number, from: string) => message({ seq, from, group: '5' })
    await log.append([inGroup(1, '1'), inGroup(2, '2'), inGroup(3, '3'), inGroup(4, '2'), message({ group: '6' })])
    t.same([...(await log.lastBySender('g5', 1_001))].sort(), [
      ['2', 1_004],
      ['3', 1_003],
    ])
    t.same([...(await log.lastBySender('g5', 1_004))], [])
  })

  t.test('heads name the newest position of each conversation that has messages', async (t) => {
    const log = await open()
    await log.append([...upTo(3), ...upTo(2, { group: '5' }), message({ group: '6' })])
    const heads = await log.heads(['p1-2', 'g5', 'p8-9'])
    t.same(
      heads.sort((one, other) => (one.conversation < other.conversation ? -1 : 1)),
      [
        { conversation: 'g5', seq: 2, at: 1_002 },
        { conversation: 'p1-2', seq: 3, at: 1_003 },
      ],
    )
    t.same(await log.heads([]), [])
  })

  const recall = (seq: number, of: number) =>
    message({ seq, msgId: `recall:${of}`, text: '', change: { kind: 'recall', seq: of, msgId: `m${of}` } })
  const edit = (seq: number, of: number, text: string) =>
    message({ seq, text, change: { kind: 'edit', seq: of, msgId: `m${of}` } })

  t.test('a recall takes text and attachment away, and nothing brings them back', async (t) => {
    const log = await open()
    const original = message({ type: 2, text: 'look', attachment: { url: 'u' } })
    const before = edit(2, 1, 'look here')
    const after = edit(4, 1, 'look again')
    await log.append([original, before, recall(3, 1), after])
    t.same(await log.applyChanges([before]), [before])
    t.match(await log.applyChanges([recall(3, 1)]), [{ seq: 3, change: { kind: 'recall', seq: 1 } }])
    t.same(await log.applyChanges([after]), [{ ...after, text: '', recalled: true }])
    const { attachment: _, ...rest } = original
    const stored = await log.oldest('p1-2', { limit: 9 })
    t.strictSame(stored[0], { ...rest, text: '', recalled: true }, 'its hash, for repeats of the send, stays')
    t.match(stored.slice(1), [{ text: '', recalled: true }, { text: '' }, { text: '', recalled: true }])
  })

  t.test('the newest edit holds in whatever order and however often they are applied', async (t) => {
    const log = await open()
    const edits = [edit(3, 1, 'b'), edit(4, 1, 'c'), edit(5, 2, 'd')]
    await log.append([...upTo(2), ...edits])
    for (const order of [[1], [0, 2], [2, 1, 0], [0]]) await log.applyChanges(order.map((one) => edits[one]!))
    const [first, second] = await log.oldest('p1-2', { limit: 2 })
    t.match(first, { text: 'c', edited: 1_004 })
    t.match(second, { text: 'd', edited: 1_005 })
    t.notOk('recalled' in first!)
  })

  t.test('changes of several conversations go together, and of what is gone they change nothing', async (t) => {
    const log = await open()
    const inGroup = { group: '5', msgId: 'e' }
    const elsewhere = message({ ...inGroup, seq: 2, text: 'x', change: { kind: 'edit', seq: 1, msgId: 'm1' } })
    await log.append([...upTo(1), message({ group: '5' }), elsewhere, recall(2, 1), recall(3, 7)])
    await log.applyChanges([elsewhere, recall(2, 1), recall(3, 7)])
    t.match(await log.oldest('p1-2', { limit: 1 }), [{ text: '', recalled: true }])
    t.match(await log.oldest('g5', { limit: 1 }), [{ text: 'x', edited: elsewhere.at }])
    t.equal((await log.oldest('p1-2', { limit: 9 })).length, 3)
    t.same(await log.applyChanges([]), [])
  })

  t.test('the tail tells changes and what was changed, and records leave changes out', async (t) => {
    const log = await open()
    const edited = edit(3, 2, 'b')
    const messages = [...upTo(2), edited, recall(4, 1), message({ seq: 5, from: '2', to: '1' })]
    await log.append(messages)
    await log.applyChanges(messages.slice(2, 4))
    const { recent } = await log.tail('p1-2', 9)
    t.match(recent, [{ recalled: true }, { edited: edited.at }, { change: { kind: 'edit' } }, { change: {} }, {}])
    t.same(seqs(await log.after('p1-2', 0, 3)), [1, 2, 5])
    t.same(seqs(await log.newest('p1-2', { limit: 2, changes: false })), [2, 5])
    t.same(seqs(await log.newest('p1-2', { limit: 2 })), [4, 5])
    t.same([...(await log.lastBySender('p1-2', 1_002))], [['2', 1_005]])
  })

  t.test('who wrote what in a range is told seq by seq, and of changes nobody', async (t) => {
    const log = await open()
    await log.append([...upTo(2), edit(3, 2, 'b'), message({ seq: 4, from: '2', to: '1' }), message({ seq: 5 })])
    t.same(await log.authors('p1-2', 2, 4), ['1', '', '2'])
    t.same(await log.authors('p1-2', 5, 9), ['1'])
    t.same(await log.authors('g5', 1, 9), [])
    await log.append([message({ group: '6', seq: 4 }), message({ group: '6', seq: 5 })])
    t.same(await log.authors('g6', 2, 9), ['', '', '1', '1'], 'what was deleted keeps its place')
  })

  t.test('two writers of one conversation never take the same seq', async (t) => {
    const log = await open()
    const write = async (writer: string) => {
      for (let done = 0; done < 20; ) {
        const { seq } = await log.tail('p1-2', 1)
        const { stored } = await log.append([message({ seq: seq + 1, msgId: `${writer}-${done}` })])
        done += stored
      }
    }
    await Promise.all([write('a'), write('b')])
    t.same(
      seqs(await log.oldest('p1-2', { limit: 100 })),
      Array.from({ length: 40 }, (_, i) => i + 1),
    )
  })
}
