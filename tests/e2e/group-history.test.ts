import t, { type Test } from 'tap'
import { eventually } from '../eventually.ts'
import { type Person, people } from '../people.ts'
import type { Data, RawSocket } from '../raw-socket.ts'
import { testSystem } from '../system.ts'

// Owners confirm, however busy the machine is: nothing here goes by times.
const system = await testSystem(t, { messageServices: 2, serviceEnv: { OWNER_TIMEOUT_MS: '4000' } })
const newPerson = people(t, system)

const say = (socket: RawSocket, sessionId: string, contentStr: string) =>
  socket.message({ toUserId: 0, sessionId, contentStr })
const textsOf = (recordList: Data[]) => recordList.map(({ msg }) => msg)

/** A group of these, whose members read what was sent while they were, unless it says otherwise. */
async function newGroup(socket: RawSocket, owner: Person, members: Person[], settings: object = { history: 'joined' }) {
  const memberIds = [owner, ...members].map(({ number }) => number)
  const made = await socket.ask('createGroup', { userId: owner.number, groupName: '往事群', memberIds, ...settings })
  return String(made.result.groupId)
}

/** What a member reads over HTTP and over the socket, forward and backward in small pages: the same from everywhere. */
async function readBy(t: Test, person: Person, socket: RawSocket, groupId: string): Promise<string[]> {
  const forward: Data[] = []
  for (let lastTime = 0; ; lastTime = forward.at(-1).timestamp) {
    const { data } = await person.post('/chat/chat!loadChatRecords', { groupId, lastTime, pageSize: 2 }, { gateway: 1 })
    if (data.recordList.length === 0) break
    forward.push(...data.recordList)
    t.equal(data.hasMore, data.recordList.length === 2 && (await hasAfter(person, groupId, forward.at(-1).timestamp)))
  }
  const backward: Data[] = []
  for (let beforeSeq: number | undefined; ; beforeSeq = backward[0].seq) {
    const { result } = await socket.ask('loadChatRecords', { groupId, pageSize: 3, ...(beforeSeq && { beforeSeq }) })
    if (result.recordList.length === 0) break
    backward.unshift(...result.recordList)
  }
  t.same(textsOf(backward), textsOf(forward), 'from both ends and on both edges')
  return textsOf(forward)
}

async function hasAfter(person: Person, groupId: string, lastTime: number): Promise<boolean> {
  const { data } = await person.post('/chat/chat!loadChatRecords', { groupId, lastTime, pageSize: 1 })
  return data.recordList.length > 0
}

t.test('with history joined a member reads what was sent while they were one, after coming back too', async (t) => {
  const [owner, member, late] = [await newPerson(), await newPerson(), await newPerson()]
  const [first, second, third] = [
    await owner.socket({ sync: true }),
    await member.socket({ gateway: 1, sync: true }),
    await late.socket({ sync: true }),
  ]
  const groupId = await newGroup(first, owner, [member])
  const shown = await second.ask('queryGroupInfo', { userId: member.number, groupId })
  t.equal(shown.result.history, 'joined')
  for (const text of ['a1', 'a2']) await say(first, groupId, text)
  t.equal((await late.post('/chat/group!joinGroup', { groupId })).data.info, '申请入群成功')
  for (const text of ['b1', 'b2', 'b3']) await say(second, groupId, text)
  await second.ask('exitGroup', { groupId })
  for (const text of ['c1', 'c2']) await say(first, groupId, text)
  t.match((await second.ask('loadChatRecords', { groupId })).code, 2002)
  await first.ask('addGroupMembers', { userId: owner.number, groupId, memberIds: [member.number] })
  for (const text of ['d1', 'd2']) await say(first, groupId, text)
  await first.ask('kickGroupMembers', { userId: owner.number, groupId, memberIds: [member.number, late.number] })
  await say(first, groupId, 'e1')
  await late.post('/chat/group!joinGroup', { groupId }, { gateway: 1 })
  await second.ask('joinGroup', { groupId })
  await say(third, groupId, 'f1')

  const all = ['a1', 'a2', 'b1', 'b2', 'b3', 'c1', 'c2', 'd1', 'd2', 'e1', 'f1']
  t.same(await readBy(t, owner, first, groupId), all)
  t.same(await readBy(t, member, second, groupId), ['a1', 'a2', 'b1', 'b2', 'b3', 'd1', 'd2', 'f1'])
  t.same(await readBy(t, late, third, groupId), ['b1', 'b2', 'b3', 'c1', 'c2', 'd1', 'd2', 'f1'])
  await second.next('message', ({ contentStr }) => contentStr === 'f1')
  t.same(second.texts, ['a1', 'a2', 'd1', 'd2', 'f1'], 'and was shown no more than that')
  t.same(third.texts, ['b1', 'b2', 'b3', 'c1', 'c2', 'd1', 'd2'])
})

t.test('unread, lists, sync and receipts go by the same, right after leaving and coming back', async (t) => {
  const [owner, member] = [await newPerson(), await newPerson()]
  const [first, second] = [await owner.socket({ sync: true }), await member.socket({ gateway: 1, sync: true })]
  const groupId = await newGroup(first, owner, [member])
  const named = { sessionId: groupId, peerUserId: 0 }
  const listed = async () => {
    const { result } = await second.ask('conversationList')
    return result.conversations.find((one: Data) => one.sessionId === groupId)
  }
  const synced = async (seq: number) => (await second.ask('sync', { positions: [{ ...named, seq }] })).result
  const receipts = (socket: RawSocket, seq: number) => socket.ask('queryReceipts', { ...named, seq })

  for (const text of ['1', '2', '3']) await say(first, groupId, text)
  t.match(await listed(), { lastSeq: 3, unread: 3, lastMessage: { contentStr: '3' } })
  await second.ask('exitGroup', { groupId })
  t.equal(await listed(), undefined)
  t.match((await synced(2)).positions, [{ ...named, status: 'reset', reason: 'notAMember' }])
  t.equal((await receipts(second, 2)).code, 2002)
  for (const text of ['4', '5']) await say(first, groupId, text)
  t.match((await receipts(first, 4)).result, { total: 0, members: [] }, 'who has left is not asked for')

  await second.ask('joinGroup', { groupId })
  t.match(await listed(), { lastSeq: 5, unread: 0, readSeq: 5, lastMessage: { contentStr: '3' } })
  const { positions } = await synced(1)
  t.match(positions, [{ status: 'messages', hasMore: false }])
  const texts = ({ messages }: Data) => messages.map(({ contentStr }: Data) => contentStr)
  t.same(texts(positions[0]), ['2', '3'])
  t.same((await synced(3)).positions, [{ ...named, status: 'current' }])
  t.match((await second.ask('sync', { positions: [] })).result.new, [{ ...named, lastSeq: 3 }])
  t.equal((await receipts(second, 4)).code, 3005, 'what cannot be seen is not there')
  t.match((await receipts(second, 3)).result, { total: 0 }, 'and who joined later was not there when it was sent')

  await say(first, groupId, '6')
  t.match(await listed(), { lastSeq: 6, unread: 1, lastMessage: { contentStr: '6' } })
  t.same(texts((await synced(3)).positions[0]), ['6'])
  t.match((await receipts(first, 6)).result, { total: 1, members: [{ userId: member.number, state: 1 }] })
})

t.test('a client of the seeds gets nothing of the time it was away, at once and at its next binding', async (t) => {
  for (const history of ['joined', 'all']) {
    const [owner, member] = [await newPerson(), await newPerson()]
    const [first, old] = [await owner.socket(), await member.socket({ gateway: 1 })]
    const groupId = await newGroup(first, owner, [member], { history })
    await say(first, groupId, '1')
    await old.next('message')
    await old.ask('exitGroup', { groupId })
    old.socket.terminate()
    for (const text of ['2', '3']) await say(first, groupId, text)
    await member.post('/chat/group!joinGroup', { groupId })
    for (const text of ['4', '5']) await say(first, groupId, text)
    const back = await member.socket({ gateway: 1 })
    await back.next('message', ({ contentStr }) => contentStr === '5')
    t.same(back.texts, ['4', '5'])
  }
})

t.test('an edit of what a member may not read comes to them without its text, wherever they look', async (t) => {
  for (const history of ['joined', 'all']) {
    const [owner, late, away] = [await newPerson(), await newPerson(), await newPerson()]
    const first = await owner.socket({ sync: true })
    const groupId = await newGroup(first, owner, [], { history })
    const named = { sessionId: groupId, peerUserId: 0 }
    await say(first, groupId, 'before')
    for (const { post } of [late, away]) await post('/chat/group!joinGroup', { groupId })
    const second = await late.socket({ gateway: 1, sync: true })
    await say(first, groupId, 'with them')
    const edit = (seq: number, contentStr: string) =>
      first.ask('editMessage', { ...named, seq, msgId: `${groupId}-${seq}`, contentStr })
    t.match([await edit(1, 'secret'), await edit(2, 'theirs')], [{ result: { seq: 3 } }, { result: { seq: 4 } }])

    const secret = history === 'joined' ? { contentStr: '', withheld: true } : { contentStr: 'secret' }
    const edits = [
      { ...secret, seq: 3, change: { kind: 'edit', seq: 1 } },
      { contentStr: 'theirs', seq: 4, change: { kind: 'edit', seq: 2 } },
    ]
    t.match([await second.next('messageChanged'), await second.next('messageChanged')], edits, 'live')
    const { result } = await second.ask('sync', { positions: [{ ...named, seq: 2 }] })
    t.match(result.positions[0].messages, edits, 'in sync')
    const old = await away.socket({ gateway: 1 })
    t.match([await old.next('messageChanged'), await old.next('messageChanged')], edits, 'and in what was missed')
    const own = await first.next('messageChanged')
    t.match(own, { contentStr: 'secret', seq: 3 })
    t.notOk('withheld' in own, 'the author is told what they wrote')
  }
})

t.test('the setting is in force at once, forth and back, for what was before as well', async (t) => {
  const [owner, member] = [await newPerson(), await newPerson()]
  const [first, second] = [await owner.socket(), await member.socket({ gateway: 1 })]
  const groupId = await newGroup(first, owner, [], {})
  for (const text of ['1', '2']) await say(first, groupId, text)
  await second.ask('joinGroup', { groupId })
  for (const text of ['3', '4']) await say(first, groupId, text)
  const set = (history: string) => owner.post('/chat/group!updateGroup', { groupId, history })
  const read = async () => textsOf((await second.ask('loadChatRecords', { groupId })).result.recordList)
  t.same(await read(), ['1', '2', '3', '4'])
  t.equal((await member.post('/chat/group!updateGroup', { groupId, history: 'joined' })).data.code, 'NOT_ALLOWED')
  for (let round = 0; round < 3; round++) {
    t.equal((await set('joined')).data.success, true)
    t.same(await read(), ['3', '4'])
    t.equal((await member.post('/chat/group!getGroupDetail', { groupId })).data.groupInfo.history, 'joined')
    t.equal((await set('all')).data.success, true)
    t.same(await read(), ['1', '2', '3', '4'])
    t.notOk('history' in (await member.post('/chat/group!getGroupDetail', { groupId })).data.groupInfo)
  }
})

t.test('five hundred who are added and kicked at once each have their own times', async (t) => {
  const owner = await newPerson()
  const first = await owner.socket()
  const groupId = await newGroup(first, owner, [])
  const crowd = await Promise.all(Array.from({ length: 500 }, () => newPerson()))
  const memberIds = crowd.map(({ number }) => number)
  const change = async (tag: string) =>
    t.equal((await first.ask(tag, { userId: owner.number, groupId, memberIds })).code, 0)
  await say(first, groupId, 'before')
  await change('addGroupMembers')
  await say(first, groupId, 'with them')
  await change('kickGroupMembers')
  await say(first, groupId, 'without them')
  await change('addGroupMembers')
  await say(first, groupId, 'with them again')
  for (const one of [crowd[0], crowd[249], crowd[499]] as Person[]) {
    const { data } = await one.post('/chat/chat!loadChatRecords', { groupId }, { gateway: 1 })
    t.same(textsOf(data.recordList), ['with them', 'with them again'])
  }
})

t.test(
  'while messages flow, who comes and goes misses nothing of their time and sees nothing of any other',
  async (t) => {
    const owner = await newPerson()
    const senders = await Promise.all([owner.socket({ sync: true }), owner.socket({ sync: true, gateway: 1 })])
    const first = senders[0] as RawSocket
    const guests = await Promise.all(Array.from({ length: 4 }, () => newPerson()))
    const groupId = await newGroup(first, owner, [])
    /** When each message was begun and acknowledged. */
    const sent = new Map<string, { began: number; acked: number }>()
    let stop = false
    const sending = senders.map(async (socket, index) => {
      for (let number = 0; !stop; number++) {
        const text = `${index}-${number}`
        const began = performance.now()
        const { seq } = await say(socket, groupId, text)
        t.ok(seq > 0)
        sent.set(text, { began, acked: performance.now() })
      }
    })
    const stays = await Promise.all(
      guests.map(async (guest, index) => {
        const socket = await guest.socket({ sync: true, gateway: index })
        const times: { asked: number; joined: number; leaving: number; left: number }[] = []
        for (let round = 0; round < 5; round++) {
          const asked = performance.now()
          await guest.post('/chat/group!joinGroup', { groupId }, { gateway: round })
          const joined = performance.now()
          const until = sent.size + 6
          await eventually(() => sent.size >= until, 'some more is sent')
          const leaving = performance.now()
          // The last stay goes on.
          if (round < 4) await guest.post('/chat/group!exitGroup', { groupId }, { gateway: round + 1 })
          times.push({ asked, joined, leaving, left: round < 4 ? performance.now() : Number.POSITIVE_INFINITY })
          await eventually(() => sent.size >= until + 6, 'some more is sent')
        }
        return { guest, socket, times }
      }),
    )
    stop = true
    await Promise.all(sending)
    const last = await say(first, groupId, 'the end')
    for (const { guest, socket, times } of stays) {
      await socket.next('message', ({ seq }) => seq === last.seq)
      const read = new Set(await readBy(t, guest, socket, groupId))
      const missing: string[] = []
      const tooMuch: string[] = []
      for (const [text, { began, acked }] of sent) {
        if (
          times.some(
            ({ joined, leaving, left }) => began > joined && (acked < leaving || left === Number.POSITIVE_INFINITY),
          )
        ) {
          if (!read.has(text)) missing.push(text)
        } else if (!times.some(({ asked, left }) => acked > asked && began < left) && read.has(text)) tooMuch.push(text)
      }
      t.same(missing, [], 'what was sent while they were a member is in their history')
      t.same(tooMuch, [], 'and nothing of before, between and behind')
      const unread = socket.texts.filter((text) => text !== 'the end' && !read.has(text))
      t.same(unread, [], 'and their connection was shown nothing that they may not read')
    }
    t.comment(`${sent.size} messages`)
  },
)
