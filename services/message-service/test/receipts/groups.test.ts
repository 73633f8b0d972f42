import t from 'tap'
import { setup } from './setup.ts'

const conversation = 'g5'
const read = (user: string, seq: number) => ({ user, conversation, read: seq, conn: 'c', alone: true as const })

/** A group of these, in which these have written. */
async function group(members: string[], from: string[]) {
  const opened = setup()
  opened.group.users = members
  await opened.write(conversation, ...from)
  const seqs = async () => {
    const floor = (await opened.floors.of([conversation])).get(conversation)
    return floor?.read.map(([, seq]) => seq)
  }
  const cursor = async (user: string) => (await opened.cursors.of(conversation, [user])).get(user)
  const counts = () => opened.told().map(({ to, data }) => ({ ...to, ...data }))
  return { ...opened, seqs, cursor, counts }
}
const counted = (to: string, seq: number, counts: [delivered: number, read: number, total: number]) => {
  const [deliveredCount, readCount, total] = counts
  return { users: [to], sessionId: '5', seq, deliveredCount, readCount, total }
}

t.test('each author is told of the newest own message that somebody else has come past', async (t) => {
  const { take, counts } = await group(['1', '2', '3'], ['1', '2', '1', '3', '2'])
  await take([read('3', 4)], 'a')
  t.same(counts(), [counted('1', 3, [1, 1, 2]), counted('2', 2, [1, 1, 2])], 'not of one’s own, nor of what is ahead')
  await take([{ user: '1', conversation, delivered: 5 }])
  t.same(counts(), [counted('2', 5, [1, 0, 2]), counted('3', 4, [1, 0, 2])])
  await take([read('3', 4)], 'a')
  t.same(counts(), [], 'what was told is not told again')
})

t.test('counts say what they are of, so that those of a former owner are not shown behind further ones', async (t) => {
  const { take, group: of, receipts, told } = await group(['1', '2', '3', '4'], ['1'])
  await take([read('2', 1)], 'a')
  t.match(told(), [{ cursor: { of: '1@1', delivered: 1, read: 1 } }])
  of.users = ['1', '3', '4']
  of.version = 2
  receipts.membersChanged(conversation, { added: [], joinedSeq: 1 })
  await receipts.flush()
  t.match(told(), [{ data: { total: 2 }, cursor: { of: '1@2', delivered: 0, read: 0 } }], 'who left is in none')
})

t.test('between two pushes of counts there is a second, and nothing is left out', async (t) => {
  const { receipts, clock, counts } = await group(['1', '2', '3'], ['1', '1'])
  // By its own timers, which keep no process alive: flush() would push whatever waits.
  const alive = setInterval(() => {}, 1_000)
  t.teardown(() => clearInterval(alive))
  await receipts.take([read('2', 1)], 'a')
  t.same(counts(), [counted('1', 1, [1, 1, 2])])
  clock.now += 500
  await receipts.take([read('3', 1)], 'a')
  await receipts.take([read('2', 2)], 'a')
  t.same(counts(), [])
  clock.now += 500
  await receipts.take([read('3', 2)], 'a')
  t.same(counts(), [counted('1', 2, [2, 2, 2])])
})

t.test('who is moved while the authors are looked up is in a count, of what was written meanwhile too', async (t) => {
  const opened = await group(['1', '2', '3'], ['1'])
  const [looking, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const authors = opened.log.authors.bind(opened.log)
  opened.log.authors = async (...range) => {
    const found = await authors(...range)
    looking.resolve()
    await release.promise
    return found
  }
  const first = opened.receipts.take([read('2', 1)], 'a')
  void opened.receipts.flush()
  await looking.promise
  await opened.write(conversation, '3')
  const raise = opened.floors.raise.bind(opened.floors)
  opened.floors.raise = async (floors) => {
    release.resolve()
    await first
    await raise(floors)
  }
  await opened.take([read('2', 2)], 'a')
  t.same(opened.counts(), [counted('3', 2, [1, 1, 2]), counted('1', 1, [1, 1, 2])])
})

t.test('authors are told up to 500 messages back', async (t) => {
  const { take, counts } = await group(['1', '2', '3', '4'], ['1', '2', ...Array<string>(499).fill('3')])
  await take([read('4', 501)], 'a')
  t.same(counts(), [counted('3', 501, [1, 1, 3]), counted('2', 2, [1, 1, 3])])
})

t.test('an author of whose messages nothing changed is not told, however much is read elsewhere', async (t) => {
  const opened = await group(['1', '2', '3', '4'], ['1', '2'])
  await opened.take([read('3', 1)], 'a')
  t.same(opened.counts(), [counted('1', 1, [1, 1, 3])])
  const elsewhere = 'g6'
  await opened.write(elsewhere, '1')
  const [members, crowd] = [opened.group.users, Array.from({ length: 60_000 }, (_, index) => String(index + 1))]
  opened.group.users = crowd
  await opened.take(crowd.map((user) => ({ user, conversation: elsewhere, delivered: 1 })))
  opened.group.users = members
  opened.counts()
  await opened.take([read('3', 2)], 'a')
  t.same(opened.counts(), [counted('2', 2, [1, 1, 3])])
})

t.test('whoever joined later is in no count, and is at least as far as where they joined', async (t) => {
  const opened = await group(['1', '2', '3'], ['1', '1', '1'])
  opened.group.joinedSeq.set('3', 2)
  await opened.take([read('3', 1), read('2', 2)], 'a')
  t.same(await opened.cursor('3'), { deliveredSeq: 2, readSeq: 2 })
  t.same(opened.counts(), [counted('1', 2, [1, 1, 1])])
  await opened.take([read('3', 3)], 'a')
  t.same(opened.counts(), [counted('1', 3, [1, 1, 2])])
})

t.test('who is no member has no cursor; while members are not known, receipts wait and are not answered', async (t) => {
  const opened = await group(['1', '2'], ['1'])
  opened.group.known = false
  let answered = false
  const taken = opened.receipts.take([read('2', 1), read('9', 1)], 'a').then(() => {
    answered = true
  })
  await opened.receipts.flush()
  t.same([answered, await opened.cursor('2')], [false, undefined])
  opened.group.known = true
  await opened.receipts.flush()
  await taken
  t.match(await opened.cursor('2'), { readSeq: 1 })
  t.equal(await opened.cursor('9'), undefined)
})

t.test('what another owner stored and may not have told of is told when it comes again', async (t) => {
  const opened = await group(['1', '2'], ['1'])
  await opened.cursors.advance([{ user: '2', conversation, deliveredSeq: 1, readSeq: 1 }])
  await opened.take([read('2', 1)], 'a')
  t.same(opened.counts(), [counted('1', 1, [1, 1, 1])])
})

t.test('what was kept under another tenure is read again', async (t) => {
  const opened = await group(['1', '2', '3'], ['1', '1'])
  await opened.take([read('2', 1)], 'a')
  opened.counts()
  opened.place.owned = 2
  await opened.cursors.advance([{ user: '3', conversation, deliveredSeq: 2, readSeq: 2 }])
  await opened.take([read('2', 2)], 'a')
  t.match(opened.counts(), [counted('1', 2, [2, 2, 2])])
})

t.test('an owner that lost the group tells no author', async (t) => {
  const opened = await group(['1', '2'], ['1'])
  const { authors } = opened.log
  opened.log.authors = (...range) => {
    opened.place.owned = undefined
    return authors.apply(opened.log, range)
  }
  await opened.take([read('2', 1)], 'a')
  t.same(opened.counts(), [])
})

t.test('the floor is written before it is answered, and goes up when the slowest leaves', async (t) => {
  const opened = await group(['1', '2', '3'], ['1', '1', '1'])
  await opened.take([read('2', 2)], 'a')
  t.same(await opened.seqs(), [0, 0])
  await opened.take([read('1', 3)], 'a')
  t.same(await opened.seqs(), [0, 2])
  opened.group.users = ['1', '2']
  opened.group.version = 2
  opened.receipts.membersChanged(conversation, { added: [], joinedSeq: 3 })
  await opened.receipts.flush()
  t.same(await opened.seqs(), [2, 3])
  opened.counts()
  opened.group.users = ['1', '2', '3']
  opened.group.version = 3
  await opened.cursors.advance([{ user: '3', conversation, deliveredSeq: 3, readSeq: 3 }])
  opened.receipts.membersChanged(conversation, { added: ['3'], joinedSeq: 3 })
  await opened.receipts.flush()
  t.same(await opened.seqs(), [2, 3], 'who comes again is not as slow as before')
})

t.test('who is no member takes no floor away', async (t) => {
  const opened = await group(['1', '2'], ['1'])
  await opened.take([read('2', 1)], 'a')
  t.same(await opened.seqs(), [0, 1])
  await opened.take([read('9', 1)], 'a')
  t.same(await opened.seqs(), [0, 1])
})

t.test('a floor that could not be written is written later', async (t) => {
  const opened = await group(['1', '2'], ['1'])
  const { raise } = opened.floors
  opened.floors.raise = async () => {
    throw new Error('away')
  }
  const taken = opened.receipts.take([read('2', 1), read('1', 1)], 'a')
  await opened.receipts.flush()
  t.equal(await opened.seqs(), undefined)
  opened.floors.raise = raise.bind(opened.floors)
  await opened.receipts.flush()
  await taken
  t.same(await opened.seqs(), [1, 1])
  t.match(opened.counts(), [counted('1', 1, [1, 1, 1])])
})

t.test('a group above 500 members has cursors, no counts and no floor', async (t) => {
  const members = Array.from({ length: 500 }, (_, index) => String(index + 1))
  const opened = await group(members, ['1'])
  await opened.take([read('2', 1)], 'a')
  t.same(await opened.seqs(), [0, 0])
  t.equal(opened.counts().length, 1)
  opened.group.users = [...members, '501']
  opened.group.version = 2
  opened.receipts.membersChanged(conversation, { added: ['501'], joinedSeq: 1 })
  await opened.receipts.flush()
  t.equal(await opened.seqs(), undefined)
  await opened.take([read('3', 1)], 'a')
  t.match(await opened.cursor('3'), { readSeq: 1 })
  t.same(opened.counts(), [])
  t.equal(await opened.seqs(), undefined)
  opened.group.users = members
  opened.group.version = 3
  opened.receipts.membersChanged(conversation, { added: [], joinedSeq: 1 })
  await opened.receipts.flush()
  t.same(await opened.seqs(), [0, 0], 'small again it has one again')
})

t.test('a member who reads is told on other devices, with the cursor as it is stored', async (t) => {
  const opened = await group(['1', '2'], ['1', '1'])
  await opened.cursors.advance([{ user: '2', conversation, deliveredSeq: 2, readSeq: 0 }])
  await opened.take([{ user: '2', conversation, read: 1, conn: 'c' }], 'a')
  const own = opened.told().find(({ data }) => data.own)
  t.same(own, {
    to: { users: ['2'] },
    data: { sessionId: '5', peerUserId: 0, deliveredSeq: 2, readSeq: 1, own: true },
    except: 'c',
    cursor: { of: '2', delivered: 2, read: 1 },
  })
})

t.test('who has not read anything is not told on other devices that they have, however late they joined', async (t) => {
  const opened = await group(['1', '2'], ['1', '1', '1'])
  opened.group.joinedSeq.set('2', 2)
  await opened.take([{ user: '2', conversation, delivered: 3 }])
  t.same(opened.counts(), [counted('1', 3, [1, 0, 1])])
})

t.test(
  'a send in a group takes its author’s cursor along, also right after joining, and the floor with it',
  async (t) => {
    const opened = await group(['1', '2'], ['1', '1', '1'])
    await opened.take([read('1', 3)], 'a')
    opened.group.joinedSeq.set('2', 3)
    await opened.write(conversation, '2', '1', '2')
    opened.receipts.stored([4, 5, 6].map((seq) => ({ conversation, from: seq === 5 ? '1' : '2', seq })))
    await opened.receipts.flush()
    t.same(await opened.cursor('2'), { deliveredSeq: 4, readSeq: 4 }, 'as far as the other’s message')
    t.same(await opened.cursor('1'), { deliveredSeq: 3, readSeq: 3 })
    t.same(await opened.seqs(), [3, 4])
  },
)
