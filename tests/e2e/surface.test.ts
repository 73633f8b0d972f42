import { errors } from '@qunxin/contracts'
import t, { type Test } from 'tap'
import { type Row, surface } from '../../services/gateway/src/surface.ts'
import { people, postRaw } from '../people.ts'
import { type Data, RawSocket } from '../raw-socket.ts'
import { testSystem } from '../system.ts'
import { makeToken } from '../tokens.ts'
import { type RoleName, roles, type SurfaceCase, surfaceCases, type World } from './surface-cases.ts'

const system = await testSystem(t)
const newPerson = people(t, system)
const [url = ''] = system.urls

async function newWorld(): Promise<World> {
  const [owner, admin, member, other, outsider, stranger] = await Promise.all(
    Array.from({ length: 6 }, () => newPerson()),
  )
  const groupName = '悦尚九鲜项目群'
  const created = await owner!.post('/chat/group!createGroup', {
    groupName,
    projectName: '悦尚九鲜',
    introduction: '群介绍',
    notice: '群公告',
    memberIds: [owner!.number],
  })
  const { groupId } = created.data
  // One behind the other: lists are in the order of joining.
  for (const joining of [admin, member, other]) await joining!.post('/chat/group!joinGroup', { groupId })
  await owner!.post('/chat/group!setAdmin', { groupId, memberId: admin!.id, admin: true })
  const sent = await owner!.post('/chat/chat!sendMessage', {
    sessionId: groupId,
    msgId: 'first',
    msgContentType: 1,
    contentStr: '大家好',
  })
  return { groupId, groupName, owner, admin, member, other, outsider, stranger, ack: sent.data } as World
}

const refusal = (code: keyof typeof errors) => ({ code, info: errors[code].zh })
const textOf = (of: SurfaceCase, world: World) => (typeof of.info === 'string' ? of.info : of.info(world))

/** What seed A's `data` and a tag's `result` hold beside success and info. */
const outputOf = (row: Row, output: Data) =>
  Array.isArray(output) ? { [row.list ?? '']: output } : (output as Record<string, unknown>)

t.test('every row of the surface table has a case, and every case a row', async (t) => {
  t.same(Object.keys(surfaceCases).sort(), surface.map(({ tag }) => tag).sort())
})

for (const row of surface) {
  const of = surfaceCases[row.tag]
  if (!of) continue
  t.test(`${row.tag} for each role on both edges`, async (t) => {
    for (const role of roles) {
      const world = await newWorld()
      await t.test(`${role} over HTTP: ${of.allows[role]}`, (t) => overHttp(t, { row, of, role, world }))
    }
    for (const role of roles) {
      const world = await newWorld()
      await t.test(`${role} over the socket: ${of.allows[role]}`, (t) => overSocket(t, { row, of, role, world }))
    }
  })
}

interface Asked {
  row: Row
  of: SurfaceCase
  role: RoleName
  world: World
}

async function overHttp(t: Test, { row, of, role, world }: Asked) {
  const person = world[role]
  const envelope = { client: 'F9FQXGP8FCM5', expire: Date.now() + 60_000 }
  const { status, body } = await person.post(row.path, of.input(world), { envelope })
  const data = sortMembers(body.data)
  t.equal(status, 200)
  t.same(Object.keys(body).sort(), ['data', 'headers'])
  t.same(body.headers, { uid: person.id, accessToken: person.token, ...envelope })
  const allowed = of.allows[role]
  if (allowed !== 'ok') {
    t.match(data, { success: false, ...refusal(allowed) })
    return
  }
  const output = outputOf(row, of.output(world, role))
  t.match(data, { success: true, info: textOf(of, world), ...output })
  t.same(keysOf(data), keysOf({ success: true, info: '', ...output }), 'and no other field anywhere')
}

async function overSocket(t: Test, { row, of, role, world }: Asked) {
  const person = world[role]
  const socket = await person.socket({ gateway: 1 })
  const input = { ...of.input(world), userId: person.number }
  if (row.silent) {
    socket.send(row.tag, { ...input, taskId: 'silent' })
    await socket.ask('queryGroupList')
    t.same(
      socket.frames.filter(({ tag }) => tag === row.tag || tag === 'error'),
      [],
      'it has no answer, whatever comes of it',
    )
    return socket.close()
  }
  const answer = await socket.ask(row.tag, input)
  const allowed = of.allows[role]
  if (allowed !== 'ok') {
    t.match(answer, { code: errors[allowed].number, info: errors[allowed].zh })
    t.notOk('result' in answer)
  } else if (row.noResult) {
    t.same(answer, { code: 0, taskId: answer.taskId })
  } else {
    const output = of.output(world, role)
    const result = row.style === 'seedB' ? output : { success: true, info: textOf(of, world), ...(output as object) }
    t.match(sortMembers(answer), { code: 0, result })
    t.same(keysOf(answer.result), keysOf(result), 'and no other field anywhere')
  }
  await socket.close()
}

/** What has no answer of its own is refused by `error`. */
function refusedOn(socket: RawSocket, { tag, silent }: Row, data: Record<string, unknown>): Promise<Data> {
  if (!silent) return socket.ask(tag, data)
  socket.send(tag, data)
  return socket.next('error', (error) => error.tag === tag)
}

/** memberIds have no order of their own. */
function sortMembers(value: Data): Data {
  if (Array.isArray(value)) return value.map(sortMembers)
  if (typeof value !== 'object' || value === null) return value
  const sorted = Object.entries(value).map(([key, field]) => [
    key,
    key === 'memberIds' ? (field as number[]).toSorted((a, b) => a - b) : sortMembers(field),
  ])
  return Object.fromEntries(sorted)
}

/** The names of all fields, however deep, so that a match cannot overlook one too many. */
function keysOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(keysOf)
  if (typeof value !== 'object' || value === null || value instanceof RegExp) return 'a value'
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, keysOf(field)]))
}

t.test('without a token nothing is answered, on either edge', async (t) => {
  const uid = (await newPerson()).id
  for (const row of surface) {
    const input = { groupId: '1' }
    const { status, body } = await postRaw(url + row.path, JSON.stringify({ headers: { uid }, data: input }))
    t.equal(status, 401, row.path)
    t.match(body, { headers: { uid }, data: { success: false, ...refusal('UNAUTHENTICATED') } })
    t.notOk('accessToken' in body.headers)
  }
  const socket = await RawSocket.open(url)
  for (const { tag } of surface) {
    socket.send(tag, { groupId: '1', taskId: tag })
    const { number: code, zh: info } = errors.NOT_BOUND
    t.same(await socket.next('error'), { code, info, tag, taskId: tag })
  }
  socket.send('getUserId', { userId: Number(uid) })
  t.match(await socket.next('error'), { code: 1002 })
  t.equal((await socket.closed).code, 4001)
})

t.test('with an expired token nothing is answered, on either edge', async (t) => {
  const { id, number } = await newPerson()
  const accessToken = await makeToken(system.authSecret, { sub: id }, -60)
  for (const row of surface) {
    const body = JSON.stringify({ headers: { uid: id, accessToken }, data: { groupId: '1' } })
    const answer = await postRaw(url + row.path, body)
    t.equal(answer.status, 401, row.path)
    t.match(answer.data, { success: false, ...refusal('UNAUTHENTICATED') })

    const socket = await RawSocket.open(url)
    socket.send('getUserId', { userId: number, accessToken })
    socket.send(row.tag, { groupId: '1', taskId: '1' })
    t.equal((await socket.closed).code, 4001, row.tag)
    t.same(
      socket.frames.map(({ tag }) => tag),
      ['error'],
    )
  }
})

t.test('everything about a group that is not there, or no longer, is GROUP_NOT_FOUND', async (t) => {
  const world = await newWorld()
  await world.owner.post('/chat/group!deleteGroup', { groupId: world.groupId })
  for (const row of surface) {
    const input = surfaceCases[row.tag]?.input(world) ?? {}
    const named = 'groupId' in input ? 'groupId' : 'sessionId' in input ? 'sessionId' : undefined
    if (named === undefined) continue
    for (const [what, groupId] of [
      ['deleted', world.groupId],
      ['never made', '999'],
    ]) {
      const { status, data } = await world.owner.post(row.path, { ...input, [named]: groupId })
      t.equal(status, 200)
      t.match(data, { success: false, ...refusal('GROUP_NOT_FOUND') }, `${row.tag}, ${what}`)
    }
  }
})

t.test('an object where an id belongs is refused by the name of its field, on both edges', async (t) => {
  const world = await newWorld()
  const socket = await world.owner.socket()
  for (const row of surface) {
    const input = surfaceCases[row.tag]?.input(world) ?? {}
    for (const field of ['groupId', 'sessionId', 'groupUserId', 'memberId', 'memberIds'].filter(
      (name) => name in input,
    )) {
      const wrong = { ...input, [field]: field === 'memberIds' ? [{ $gt: '' }] : { $ne: null } }
      const { status, data } = await world.owner.post(row.path, wrong)
      t.equal(status, 400, `${row.tag}.${field}`)
      t.match(data, { success: false, ...refusal('BAD_REQUEST'), details: { field: new RegExp(`^${field}`) } })
      t.match(await refusedOn(socket, row, wrong), { code: 1001, info: errors.BAD_REQUEST.zh })
    }
  }
})

t.test('nobody acts as another user, on either edge', async (t) => {
  const world = await newWorld()
  const socket = await world.owner.socket()
  for (const row of surface) {
    const input = { ...surfaceCases[row.tag]?.input(world), userId: world.member.id }
    const { status, data } = await world.owner.post(row.path, input)
    t.equal(status, 200)
    t.match(data, { success: false, ...refusal('FORBIDDEN') }, row.tag)
    t.match(await refusedOn(socket, row, input), { code: 1003, info: errors.FORBIDDEN.zh })
  }
})

t.test('texts are English for who prefers it', async (t) => {
  const world = await newWorld()
  const loaded = await world.member.post('/chat/group!groupList', undefined, { language: 'en-GB,zh;q=0.5' })
  t.match(loaded.data, { success: true, info: 'Groups loaded' })
  const refused = await world.member.post('/chat/group!deleteGroup', { groupId: world.groupId }, { language: 'en' })
  t.match(refused.data, { success: false, code: 'NOT_ALLOWED', info: errors.NOT_ALLOWED.en })
})
