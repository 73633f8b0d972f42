import t from 'tap'
import { eventually } from '../eventually.ts'
import { people } from '../people.ts'
import { testSystem } from '../system.ts'

const system = await testSystem(t)
const newPerson = people(t, system)

t.test(
  "a personal message reaches every device of the receiver and the sender's other devices, once each",
  async (t) => {
    const [one, two] = [await newPerson(), await newPerson()]
    const sender = await one.socket()
    const others = await Promise.all([one.socket(), one.socket({ gateway: 1 })])
    const devices = await Promise.all([two.socket(), two.socket({ gateway: 1 }), two.client({ gateway: 1 })])
    const viaClient = new Promise((resolve) => devices[2].on('message', resolve))

    const ack = await sender.message({
      toUserId: two.number,
      contentStr: 'hello',
      msgId: 'm1',
      sendDate: '1403099033211',
    })
    t.match(ack, { msgId: 'm1', sessionId: '', peerUserId: two.number, seq: 1, state: 1 })
    t.notOk('duplicate' in ack)
    const expected = {
      fromUserId: one.number,
      toUserId: two.number,
      contentStr: 'hello',
      serverReceiveDate: ack.serverReceiveDate,
      msgId: 'm1',
      msgContentType: 1,
      sessionId: '',
      state: 1,
      seq: 1,
      sendDate: 1_403_099_033_211,
    }
    for (const socket of [...others, devices[0], devices[1]]) t.same(await socket.next('message'), expected)
    t.same(await viaClient, expected)

    await sender.message({ toUserId: two.number, contentStr: 'second' })
    for (const socket of [...others, devices[0], devices[1]]) {
      await socket.next('message', ({ contentStr }) => contentStr === 'second')
      t.same(socket.texts, ['hello', 'second'])
    }
    t.same(sender.texts, [], 'the sending connection has its acknowledgement and no copy')
  },
)

t.test('what is sent over HTTP goes to all sockets of the sender as well', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const [own, other] = [await one.socket({ gateway: 1 }), await two.socket()]
  const { data } = await one.post('/chat/chat!sendMessage', {
    toUserId: two.id,
    msgId: 'm1',
    msgContentType: 1,
    contentStr: 'over HTTP',
  })
  t.match(data, {
    success: true,
    info: '发送消息成功',
    msgId: 'm1',
    peerUserId: two.number,
    sessionId: '',
    seq: 1,
    state: 1,
  })
  t.match(await own.next('message'), { contentStr: 'over HTTP', seq: 1 })
  t.match(await other.next('message'), { contentStr: 'over HTTP', seq: 1 })
})

t.test('a device that was just bound gets what is sent from then on, whichever gateway it is on', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const sender = await one.socket()
  // Routes to the receiver are known from here on: to nowhere.
  await sender.message({ toUserId: two.number, contentStr: 'nobody there' })
  for (let i = 0; i < 10; i++) {
    const device = await two.socket({ gateway: i, sync: true })
    await sender.message({ toUserId: two.number, contentStr: `to device ${i}` })
    await device.next('message', ({ contentStr }) => contentStr === `to device ${i}`)
    await device.close()
  }
  t.pass('ten devices, one behind the other')
})

t.test('a closed device is forgotten, and the others go on', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const sender = await one.socket()
  const [leaving, staying] = [await two.socket(), await two.socket({ gateway: 1 })]
  await sender.message({ toUserId: two.number, contentStr: 'both' })
  await Promise.all([leaving.next('message'), staying.next('message')])
  await leaving.close()
  await sender.message({ toUserId: two.number, contentStr: 'one' })
  await staying.next('message')
  t.same(staying.texts, ['both', 'one'])
  t.same(leaving.texts, ['both'])
})

t.test('the eleventh connection closes the oldest with 4009, on whichever gateway that is', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const devices = []
  for (let i = 0; i < 10; i++) devices.push(await two.socket({ gateway: i, sync: true }))
  const [oldest, ...rest] = devices
  const eleventh = await two.socket({ gateway: 1, sync: true })
  t.equal((await oldest!.closed).code, 4009)

  await (await one.socket()).message({ toUserId: two.number, contentStr: 'to all' })
  await Promise.all([...rest, eleventh].map((device) => device.next('message')))
  t.same(oldest!.texts, [])
  const twelfth = await two.socket({ gateway: 0, sync: true })
  t.equal((await rest[0]!.closed).code, 4009)
  await twelfth.close()
  await eventually(() => rest.slice(1).every(({ socket }) => socket.readyState === socket.OPEN), 'the others live')
})

t.test('what came while nobody was there comes first on return, each conversation in order', async (t) => {
  const [one, two, three] = [await newPerson(), await newPerson(), await newPerson()]
  const group = { groupName: 'g', memberIds: [one.number, two.number, three.number] }
  const { groupId } = (await two.post('/chat/group!createGroup', group)).data
  const [a, b] = [await one.socket(), await two.socket({ gateway: 1 })]
  for (let i = 1; i <= 5; i++) {
    await a.message({ toUserId: three.number, contentStr: `one ${i}` })
    await b.message({ toUserId: three.number, contentStr: `two ${i}` })
    await b.message({ sessionId: groupId, contentStr: `group ${i}` })
  }
  const back = await three.socket()
  await eventually(() => back.texts.length >= 15, 'everything has come')
  for (const who of ['one', 'two', 'group'])
    t.same(
      back.texts.filter((text) => text.startsWith(who)),
      [1, 2, 3, 4, 5].map((i) => `${who} ${i}`),
    )
  await a.message({ toUserId: three.number, contentStr: 'live' })
  await back.next('message', ({ contentStr }) => contentStr === 'live')
  t.equal(back.texts.length, 16, 'nothing twice')

  const syncing = await three.socket({ sync: true })
  await a.message({ toUserId: three.number, contentStr: 'live again' })
  await syncing.next('message')
  t.same(syncing.texts, ['live again'], 'one that syncs by itself gets live frames only')
})
