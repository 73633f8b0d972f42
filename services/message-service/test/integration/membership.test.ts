import t from 'tap'
import { eventually, fakeGateway, fakeGroups, tappedLog, world } from './harness.ts'

const w = await world()
t.teardown(() => w.end())
const { stallNextAppend, wrapLog } = tappedLog()
await w.start({}, { wrapLog })
const gateway = await fakeGateway(await w.connect('gateway'), 'node-1')
t.teardown(() => gateway.stop())
const groups = fakeGroups(await w.connect('group-service'))
const seqOf = (answer: unknown) => (answer as { seq: number }).seq
const pushes = () => gateway.seen.filter(({ frame }) => frame.tag !== 'message')

t.test('a change is in force when it is confirmed, and the confirmation names the newest seq', async (t) => {
  groups.create('5', '1', '2')
  t.match(await gateway.send(gateway.entry('2', { group: '5' }), gateway.entry('1', { group: '5' })), [
    { seq: 1 },
    { seq: 2 },
  ])
  const version = groups.store('5', { added: ['3'], removed: ['2'] })
  t.same(await groups.tell({ groupId: '5', version, added: ['3'], removed: ['2'] }), { lastSeq: 2 })
  t.match(await gateway.send(gateway.entry('2', { group: '5' }), gateway.entry('3', { group: '5' })), [
    { code: 'NOT_A_MEMBER' },
    { seq: 3 },
  ])
  t.same(gateway.messages('g5').at(-1)!.item.users.toSorted(), ['1', '3'])
})

t.test('who joins has nothing unread: both cursors stand at the newest seq before the confirmation', async (t) => {
  const cursor = await w.db.collection('cursors').findOne({ user: '3', conversation: 'g5' })
  t.match(cursor, { deliveredSeq: 2, readSeq: 2 })
})

t.test('a change nobody told the owner of is in force shortly after all the same', async () => {
  groups.create('6', '1', '2')
  await gateway.send(gateway.entry('2', { group: '6' }))
  groups.store('6', { removed: ['2'] })
  await eventually('NOT_A_MEMBER', async () => {
    const [answer] = await gateway.send(gateway.entry('2', { group: '6' }))
    return 'code' in answer! && answer.code === 'NOT_A_MEMBER'
  })
})

t.test('a membersOf reply read before a kick and arriving after the owner was told is thrown away', async (t) => {
  groups.create('7', '1', '2')
  const reading = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  groups.hooks.membersOf = async () => {
    reading.resolve()
    await release.promise
  }
  const sent = gateway.send(gateway.entry('2', { group: '7' }))
  await reading.promise
  delete groups.hooks.membersOf
  const version = groups.store('7', { removed: ['2'] })
  await groups.tell({ groupId: '7', version, removed: ['2'] })
  release.resolve()
  t.match(await sent, [{ code: 'NOT_A_MEMBER' }])
})

t.test('who is kicked while a commit stalls gets nothing of it', async (t) => {
  groups.create('8', '1', '2', '3')
  await gateway.send(gateway.entry('1', { group: '8' }))
  const stall = stallNextAppend()
  const sent = gateway.send(gateway.entry('1', { group: '8' }))
  await stall.reached
  const version = groups.store('8', { removed: ['3'] })
  const told = groups.tell({ groupId: '8', version, removed: ['3'] })
  t.equal(
    await Promise.race([told.then(() => 'confirmed'), new Promise((resolve) => setTimeout(resolve, 50, 'waits'))]),
    'waits',
  )
  stall.release()
  t.equal(seqOf((await sent)[0]), 2)
  t.same(await told, { lastSeq: 2 })
  const seen = gateway.messages('g8')
  t.same(seen[0]!.item.users.toSorted(), ['1', '2', '3'])
  t.same(seen[1]!.item.users.toSorted(), ['1', '2'])
})

t.test('pushes stand in the order of the group’s messages', async (t) => {
  groups.create('9', '1', '2')
  await gateway.send(gateway.entry('1', { group: '9' }))
  const from = gateway.seen.length - 1
  const version = groups.store('9', { added: ['3'] })
  const notice = { reason: 'added' as const, byUserId: '1', userIds: ['3'], listChanged: ['3'] }
  await groups.tell({ groupId: '9', version, added: ['3'], notice })
  await gateway.send(gateway.entry('1', { group: '9' }))
  const seen = await eventually('four frames', () => gateway.seen.length >= from + 4 && gateway.seen.slice(from))
  t.same(
    seen.map(({ frame }) => frame.tag),
    ['message', 'groupListChanged', 'groupChanged', 'message'],
  )
  t.same(seen[1]!.frame.data, { groupId: '9', reason: 'added' })
  t.same(seen[1]!.item.users, ['3'])
  t.same(seen[2]!.frame.data, { groupId: '9', reason: 'added', byUserId: 1, userIds: [3] })
  t.same(seen[2]!.item.users.toSorted(), ['1', '2', '3'])
  t.same(seen[3]!.item.users.toSorted(), ['1', '2', '3'])
})

t.test('a deleted group is told to those who were in it, and takes no more messages', async (t) => {
  groups.create('10', '1', '2')
  await gateway.send(gateway.entry('1', { group: '10' }))
  const before = pushes().length
  groups.delete('10')
  const notice = { reason: 'deleted' as const, byUserId: '1', listChanged: ['1', '2'] }
  t.same(await groups.tell({ groupId: '10', version: 2, removed: ['1', '2'], deleted: true, notice }), { lastSeq: 1 })
  t.match(await gateway.send(gateway.entry('1', { group: '10' })), [{ code: 'GROUP_NOT_FOUND' }])
  const [list, changed] = await eventually('two pushes', () => pushes().length === before + 2 && pushes().slice(before))
  t.match(list, { frame: { tag: 'groupListChanged', data: { groupId: '10', reason: 'deleted' } } })
  t.match(changed, { frame: { tag: 'groupChanged', data: { groupId: '10', reason: 'deleted', byUserId: 1 } } })
  t.same(changed!.item.users.toSorted(), ['1', '2'])
})

t.test('a confirmation without a change pushes nothing', async (t) => {
  groups.create('11', '1')
  const before = pushes().length
  t.same(await groups.tell({ groupId: '11', version: 1 }), { lastSeq: 0 })
  await gateway.send(gateway.entry('1', { group: '11' }))
  t.equal(pushes().length, before)
})
