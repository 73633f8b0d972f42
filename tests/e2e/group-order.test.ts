import t from 'tap'
import { eventually } from '../eventually.ts'
import { people } from '../people.ts'
import { testSystem } from '../system.ts'

const WRITERS = 20
const MESSAGES = 30

const system = await testSystem(t)
const newPerson = people(t, system)

t.test('20 writers into one group: 5 readers on two gateways see seq 1 to n, in order, and the same', async (t) => {
  const writers = await Promise.all(Array.from({ length: WRITERS }, () => newPerson()))
  const readers = await Promise.all(Array.from({ length: 5 }, () => newPerson()))
  const memberIds = [...writers, ...readers].map(({ number }) => number)
  const { groupId } = (await writers[0]!.post('/chat/group!createGroup', { groupName: 'all', memberIds })).data
  const reading = await Promise.all(readers.map((reader, i) => reader.socket({ gateway: i })))
  const writing = await Promise.all(writers.map((writer, i) => writer.socket({ gateway: i })))

  const acks = await Promise.all(
    writing.flatMap((socket, writer) =>
      Array.from({ length: MESSAGES }, async (_, i) => {
        const text = `${writer}:${i}`
        return { text, ack: await socket.message({ sessionId: groupId, toUserId: 0, contentStr: text }) }
      }),
    ),
  )
  const total = WRITERS * MESSAGES
  const bySeq = new Map(acks.map(({ text, ack }) => [ack.seq, text]))
  t.equal(bySeq.size, total, 'every message has a seq of its own')
  const log = Array.from({ length: total }, (_, i) => bySeq.get(i + 1))

  for (const [i, socket] of reading.entries()) {
    await eventually(() => socket.texts.length >= total, `reader ${i} has everything`)
    const messages = socket.frames.filter(({ tag }) => tag === 'message').map(({ data }) => data)
    t.same(
      messages.map(({ seq }) => seq),
      Array.from({ length: total }, (_, i) => i + 1),
      `reader ${i} sees 1 to n`,
    )
    t.same(socket.texts, log, `reader ${i} sees what was acknowledged under each seq`)
  }
  for (let writer = 0; writer < WRITERS; writer++) {
    const own = log.filter((text) => text?.startsWith(`${writer}:`))
    t.same(
      own,
      Array.from({ length: MESSAGES }, (_, i) => `${writer}:${i}`),
      'the order of each writer is kept',
    )
    const socket = writing[writer]!
    await eventually(() => socket.texts.length >= total - MESSAGES, `writer ${writer} has what the others wrote`)
    t.equal(socket.texts.length, total - MESSAGES, 'a writer gets what the others wrote, and not their own')
  }
})

t.test('a group message says where it belongs, with the types of seed B', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const group = { groupName: 'two', memberIds: [one.number, two.number] }
  const { groupId } = (await one.post('/chat/group!createGroup', group)).data
  const [sender, receiver] = [await one.socket(), await two.socket({ gateway: 1 })]
  const ack = await sender.message({ sessionId: groupId, toUserId: 12, contentStr: '大家好', msgId: 'm1', sendDate: 5 })
  t.match(ack, { msgId: 'm1', sessionId: groupId, peerUserId: 0, seq: 1, state: 1 })
  t.same(await receiver.next('message'), {
    fromUserId: one.number,
    toUserId: 0,
    contentStr: '大家好',
    serverReceiveDate: ack.serverReceiveDate,
    msgId: 'm1',
    msgContentType: 1,
    sessionId: groupId,
    state: 1,
    seq: 1,
    sendDate: 5,
  })
})
