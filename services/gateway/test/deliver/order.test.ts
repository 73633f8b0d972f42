import t from 'tap'
import { Held } from '../../src/deliver/held.ts'
import type { Hole } from '../../src/deliver/hole.ts'
import { Order } from '../../src/deliver/order.ts'
import type { LiveFrame, Receiver } from '../../src/deliver/receiver.ts'

const CONVERSATION = 'g7'

/** A connection of user 1, and an order that remembers its holes. */
function connection(options: { waitsFor?: string[] } = {}) {
  const written: string[] = []
  const holes: Hole[] = []
  const counted: number[] = []
  const state = { skipped: 0, overrun: 0 }
  const receiver: Receiver = {
    id: 'c1',
    userId: '1',
    positions: undefined,
    floors: undefined,
    holes: undefined,
    shown: undefined,
    held: undefined,
    write: (frame) => written.push(frame.toString()),
    wrote: (_, seq) => counted.push(seq),
    skipped: () => {
      state.skipped += 1
    },
    overrun: () => {
      state.overrun += 1
    },
  }
  const order = new Order({
    waits: (_conn, _conversation, msgId) => (options.waitsFor ?? []).includes(msgId),
    onHole: (hole) => holes.push(hole),
  })
  const take = (seq: number, rest: Partial<LiveFrame> = {}) =>
    order.take(receiver, { frame: Buffer.from(String(seq)), conversation: CONVERSATION, seq, ...rest })
  const own = (seq: number, duplicate = false) => order.own(receiver, CONVERSATION, seq, duplicate)
  const found = (...seqs: number[]) =>
    seqs.map((seq) => ({ seq, frame: Buffer.from(String(seq)), again: { from: '2', msgId: `m${seq}` } }))
  return { receiver, order, written, holes, counted, state, take, own, found }
}

t.test('a new connection starts anywhere; from there each seq is written once', async (t) => {
  const { take, written } = connection()
  for (const seq of [50, 51, 51, 50, 52]) take(seq)
  t.same(written, ['50', '51', '52'])
})

t.test('its own answers move the position, so that replies are no hole (interleaving 17)', async (t) => {
  const { take, own, written, holes, counted } = connection()
  own(1)
  take(2)
  own(3)
  own(4)
  take(5)
  t.same(written, ['2', '5'])
  t.same(counted, [2, 5], 'only what was written counts as delivered')
  t.same(holes, [])
})

t.test('what comes behind a hole waits for it, in order', async (t) => {
  const { take, order, written, holes, found } = connection()
  for (const seq of [1, 5, 4, 5, 7]) take(seq)
  t.same(written, ['1'])
  t.equal(holes.length, 1)
  t.same(holes[0]?.missing(1), { from: 2, to: 3 })
  t.notOk(order.fill(holes[0]!, found(2, 3)), 'seq 6 is still missing')
  t.same(written, ['1', '2', '3', '4', '5'])
  t.ok(order.fill(holes[0]!, found(6)))
  t.same(written, ['1', '2', '3', '4', '5', '6', '7'])
  take(8)
  t.same(written.at(-1), '8')
})

t.test('the frame that was missing closes the hole by itself', async (t) => {
  const { take, written, holes } = connection()
  for (const seq of [1, 3, 2, 4]) take(seq)
  t.same(written, ['1', '2', '3', '4'])
  t.notOk(holes[0]?.open)
})

t.test('the answer to its own send closes the hole in front of a reply', async (t) => {
  const { take, own, written } = connection()
  take(1)
  take(3)
  own(2)
  t.same(written, ['1', '3'])
})

t.test('an own answer behind a hole waits like a frame, but is not written', async (t) => {
  const { take, own, order, written, holes, found } = connection()
  take(1)
  own(3)
  take(4)
  t.ok(order.fill(holes[0]!, found(2)))
  t.same(written, ['1', '2', '4'])
})

t.test('a hole that is given up lets go what waited, and says that something is missing', async (t) => {
  const { take, order, written, holes, state } = connection()
  for (const seq of [1, 4, 3]) take(seq)
  order.giveUp(holes[0]!)
  t.same(written, ['1', '3', '4'])
  t.equal(state.skipped, 1)
  take(2)
  t.same(written, ['1', '3', '4'], 'what comes too late is out of order and is dropped')
})

t.test(
  'a send still unanswered is not shown to its own connection, sent round again or found in a range',
  async (t) => {
    const { take, own, order, written, holes } = connection({ waitsFor: ['mine'] })
    take(1)
    take(2, { again: { from: '1', msgId: 'mine' } })
    t.same(written, ['1'])
    take(3)
    t.ok(order.fill(holes[0]!, [{ seq: 2, frame: Buffer.from('2'), again: { from: '1', msgId: 'mine' } }]))
    t.same(written, ['1', '3'])
    own(2, true)
    t.same(written, ['1', '3'])
  },
)

t.test('what is sent round again is dropped by who had it, and shown to who had not', async (t) => {
  const { take, written } = connection()
  take(1)
  take(1, { again: { from: '2', msgId: 'a' } })
  take(2, { again: { from: '2', msgId: 'b' } })
  t.same(written, ['1', '2'])
})

t.test('the answer to a repeat of long ago is no position', async (t) => {
  const { take, own, written, holes } = connection()
  own(5, true)
  take(60)
  t.same(written, ['60'])
  t.same(holes, [])
})

t.test('who was out of the group and comes back has no hole', async (t) => {
  const { order, receiver, take, written, holes } = connection()
  take(50)
  order.take(receiver, { frame: Buffer.from('left'), breaks: CONVERSATION })
  take(50)
  take(60)
  t.same(written, ['50', 'left', '60'])
  t.same(holes, [])
})

t.test(
  'who leaves and comes back while frames wait has no hole either: they break where the push stands',
  async (t) => {
    const { receiver, order, take, written, holes } = connection()
    receiver.held = new Held()
    take(50)
    for (const reason of ['left', 'joined']) order.take(receiver, { frame: Buffer.from(reason), breaks: CONVERSATION })
    take(60)
    take(61)
    order.release(receiver)
    t.same(written, ['50', 'left', 'joined', '60', '61'])
    t.same(holes, [])
  },
)

t.test(
  'a hole is nobody’s any more when its user has left the group; what waited behind it was sent to them',
  async (t) => {
    const { receiver, order, take, written, holes, state } = connection()
    take(50)
    take(55)
    order.take(receiver, { frame: Buffer.from('left'), breaks: CONVERSATION })
    t.notOk(holes[0]?.open)
    order.take(receiver, { frame: Buffer.from('joined'), breaks: CONVERSATION })
    take(60)
    t.same(written, ['50', '55', 'left', 'joined', '60'])
    t.equal(holes.length, 1)
    t.equal(state.skipped, 1, 'what was in front of it may have been theirs: a cumulative receipt would claim it')
  },
)

t.test('while the backlog is read live frames wait; what it had is not shown twice', async (t) => {
  const { receiver, order, take, written } = connection()
  receiver.held = new Held()
  take(8)
  order.take(receiver, { frame: Buffer.from('a push') })
  take(11)
  t.same(written, [])
  order.restart(receiver, CONVERSATION, 8)
  order.release(receiver)
  t.same(written, ['a push', '11'])
  take(8)
  t.same(written.length, 2)
})

t.test('once personal conversations are caught up, only what has to do with groups waits', async (t) => {
  const { receiver, order, take, written, counted } = connection()
  const personal = (seq: number) => order.take(receiver, { frame: Buffer.from(`p${seq}`), conversation: 'p1-2', seq })
  receiver.held = new Held()
  take(8)
  personal(3)
  order.take(receiver, { frame: Buffer.from('a push') })
  personal(4)
  order.restart(receiver, 'p1-2', 3)
  order.releasePersonal(receiver)
  t.same(written, ['p4'])
  personal(5)
  take(9)
  t.same(written, ['p4', 'p5'])
  t.same(counted, [4, 5], 'nothing of the group counts as delivered')
  order.restart(receiver, CONVERSATION, 8)
  order.release(receiver)
  t.same(written, ['p4', 'p5', 'a push', '9'])
})

t.test('a push about a personal conversation does not wait for groups, one about a group does', async (t) => {
  const { receiver, order, written } = connection()
  const push = (conversation: string) =>
    order.take(receiver, { frame: Buffer.from(`of ${conversation}`), conversation })
  receiver.held = new Held()
  push('p1-2')
  t.same(written, [])
  order.releasePersonal(receiver)
  push('p1-3')
  push(CONVERSATION)
  t.same(written, ['of p1-2', 'of p1-3'])
  order.release(receiver)
  t.same(written, ['of p1-2', 'of p1-3', 'of g7'])
})

t.test('a cursor is never shown to move back, nor shown again', async (t) => {
  const { receiver, order, written } = connection()
  const push = (delivered: number, read: number, of = '2') =>
    order.take(receiver, {
      frame: Buffer.from(`${of}: ${delivered} ${read}`),
      conversation: 'p1-2',
      cursor: { of, delivered, read },
    })
  push(5, 2)
  push(5, 1)
  push(5, 2)
  push(4, 2)
  push(5, 3)
  push(5, 2)
  push(1, 1, '1')
  push(8, 3)
  t.same(written, ['2: 5 2', '2: 5 3', '1: 1 1', '2: 8 3'])
})

t.test('of very many cursors the one unused longest is forgotten', async (t) => {
  const { receiver, order, written } = connection()
  const push = (peer: number, read: number) =>
    order.take(receiver, {
      frame: Buffer.from(`${peer}: ${read}`),
      conversation: `p1-${peer}`,
      cursor: { of: String(peer), delivered: read, read },
    })
  for (let peer = 2; peer < 502; peer++) push(peer, 5)
  push(2, 6)
  push(5_000, 1)
  push(2, 5)
  push(3, 4)
  t.same(written.slice(500), ['2: 6', '5000: 1', '3: 4'])
})

t.test('a connection for which too much waits is given up', async (t) => {
  const { receiver, take, state } = connection()
  receiver.held = new Held()
  for (let seq = 1; seq <= 1_001; seq++) take(seq)
  t.equal(state.overrun, 1)
})

t.test('behind a hole no more waits than may', async (t) => {
  const { take, written } = connection()
  take(1)
  for (let seq = 3; seq <= 1_002; seq++) take(seq)
  t.equal(written.at(-1), '1')
  take(1_003)
  t.equal(written.at(-1), '1003')
  t.equal(written.length, 1_002)
})

t.test('of very many conversations the one unused longest is forgotten, not the one begun first', async (t) => {
  const { receiver, order, written } = connection()
  const take = (conversation: string, seq: number) =>
    order.take(receiver, { frame: Buffer.from(`${conversation}:${seq}`), conversation, seq })
  for (let group = 0; group < 2_000; group++) take(`g${group}`, 1)
  take('g0', 2)
  take('g2000', 1)
  t.equal(receiver.positions?.size, 2_000)
  take('g0', 2)
  t.same(written.slice(2_000), ['g0:2', 'g2000:1'], 'sent round again it is not shown twice')
})
