import t from 'tap'
import { eventually } from '../eventually.ts'
import { people } from '../people.ts'
import type { RawSocket } from '../raw-socket.ts'
import { testSystem } from '../system.ts'

const system = await testSystem(t, { gateways: 2, messageServices: 2 })
const newPerson = people(t, system)

/** What a client that knows only the seeds makes of what came: messages, in the order they came. */
const shown = (socket: RawSocket) =>
  socket.frames.flatMap(({ tag, data }) => (tag === 'message' ? [`${data.seq} ${data.contentStr}`] : []))
const changed = { success: true, seq: Number, serverReceiveDate: Number }

t.test(
  'a recall and an edit reach every device of both users, on either gateway, and history has what they say',
  async (t) => {
    const [one, two] = [await newPerson(), await newPerson()]
    const sender = await one.socket()
    const devices = await Promise.all([
      one.socket({ gateway: 1 }),
      two.socket({ gateway: 0 }),
      two.socket({ gateway: 1, sync: true }),
    ])
    const say = (contentStr: string) => sender.message({ toUserId: two.number, contentStr, msgId: contentStr })
    for (const text of ['first', 'second', 'third']) await say(text)

    const recalled = await one.post('/chat/chat!recallMessage', { peerUserId: two.id, seq: 1 }, { gateway: 1 })
    t.match(recalled.data, { ...changed, info: '撤回消息成功', seq: 4 })
    const edited = await sender.ask('editMessage', {
      peerUserId: two.number,
      seq: 2,
      msgId: 'e1',
      contentStr: 'second, better',
    })
    t.match(edited, { code: 0, result: { seq: 5, serverReceiveDate: Number } })
    const names = { fromUserId: one.number, toUserId: two.number, sessionId: '' }
    for (const socket of [sender, ...devices]) {
      t.match(await socket.next('messageChanged'), {
        ...names,
        contentStr: '',
        seq: 4,
        change: { kind: 'recall', seq: 1, msgId: 'first' },
      })
      t.match(await socket.next('messageChanged'), {
        ...names,
        contentStr: 'second, better',
        msgId: 'e1',
        seq: 5,
        change: { kind: 'edit', seq: 2, msgId: 'second' },
      })
    }
    const again = await one.post('/chat/chat!recallMessage', { peerUserId: two.id, seq: 1 })
    t.match([again.data.seq, again.data.serverReceiveDate], [recalled.data.seq, recalled.data.serverReceiveDate])

    t.match(await say('fourth'), { seq: 6 })
    for (const socket of devices) {
      await socket.next('message', ({ seq }) => seq === 6)
      t.same(shown(socket), ['1 first', '2 second', '3 third', '6 fourth'], 'nothing is missed, and nothing doubled')
      t.equal(socket.frames.filter(({ tag }) => tag === 'messageChanged').length, 2)
    }
    for (const person of [one, two]) {
      const chatUserId = person === one ? two.id : one.id
      const { data } = await person.post('/chat/chat!loadChatRecords', { chatUserId, lastTime: 0 })
      t.match(data.recordList, [
        { seq: 1, msg_id: 'first', msg: '', recalled: true },
        { seq: 2, msg_id: 'second', msg: 'second, better', edited: edited.result.serverReceiveDate },
        { seq: 3, msg: 'third' },
        { seq: 6, msg: 'fourth' },
      ])
      t.equal(data.recordList.length, 4)
      t.equal(data.hasMore, false)
    }
  },
)

t.test(
  'a client that knows only the seeds comes back: what was taken back is gone, and nothing is out of order',
  async (t) => {
    const [one, two] = [await newPerson(), await newPerson()]
    const { groupId } = (await one.post('/chat/group!createGroup', { groupName: 'g', memberIds: [one.id, two.id] }))
      .data
    const sender = await one.socket()
    const say = (contentStr: string) => sender.message({ sessionId: groupId, contentStr })
    for (const text of ['secret', 'clear']) await say(text)
    const inGroup = { sessionId: groupId }
    t.match(await one.post('/chat/chat!recallMessage', { ...inGroup, seq: 1 }), { data: { ...changed, seq: 3 } })
    const edit = { ...inGroup, seq: 2, msgId: 'e1', contentStr: 'clearer' }
    t.match(await one.post('/chat/chat!editMessage', edit), { data: { ...changed, info: '修改消息成功', seq: 4 } })
    t.match(await two.post('/chat/chat!recallMessage', { ...inGroup, seq: 2 }), { data: { code: 'NOT_ALLOWED' } })
    t.match(await one.post('/chat/chat!editMessage', { ...edit, msgId: 'e2', seq: 1 }), {
      data: { code: 'MESSAGE_NOT_FOUND' },
    })

    const back = await two.socket({ gateway: 1 })
    await back.next('messageChanged', ({ seq }) => seq === 4)
    await say('live')
    await back.next('message', ({ seq }) => seq === 5)
    t.same(shown(back), ['1 ', '2 clearer', '5 live'])
    t.notOk(JSON.stringify(back.frames).includes('secret'))

    // What it was shown counts as had once it has answered a ping: it does not come again.
    await eventually(async () => {
      const next = await two.socket({ gateway: 0 })
      await say('probe')
      await next.next('message', ({ contentStr }) => contentStr === 'probe')
      const came = shown(next)
      await next.close()
      return !came.includes('2 clearer')
    }, 'nothing is left of the backlog')
  },
)
