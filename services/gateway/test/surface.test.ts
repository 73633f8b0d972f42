import { operations } from '@qunxin/contracts'
import t from 'tap'
import { silentOperations } from '../src/socket/silent-frame.ts'
import { rowOfTag, surface } from '../src/surface.ts'

/** The paths of both seeds, sending, and setAdmin: clients exist that send exactly these. */
const PATHS = [
  '/chat/group!joinGroup',
  '/chat/group!groupList',
  '/chat/group!getGroupDetail',
  '/chat/group!userSetGroup',
  '/chat/group!exitGroup',
  '/chat/group!deleteUser',
  '/chat/group!updateGroup',
  '/chat/chat!loadChatRecords',
  '/chat/group!createGroup',
  '/chat/group!queryGroupList',
  '/chat/group!addGroupMembers',
  '/chat/group!kickGroupMembers',
  '/chat/group!queryGroupInfo',
  '/chat/group!updateGroupInfo',
  '/chat/group!setAdmin',
  '/chat/group!deleteGroup',
  '/chat/chat!sendMessage',
]

t.test('every operation of both seeds has its path and its tag', async (t) => {
  const paths = surface.map((row) => row.path as string)
  t.same(
    PATHS.filter((path) => !paths.includes(path)),
    [],
  )
  for (const { path, tag } of surface) t.equal(path.split('!')[1], tag)
  t.equal(rowOfTag.size, surface.length)
})

t.test('each row names an operation that is served, once', async (t) => {
  const names = surface.map((row) => row.operation.name)
  t.equal(new Set(names).size, names.length)
  for (const row of surface) t.equal(Object.values(operations).includes(row.operation as never), true, row.tag)
})

t.test('whatever row is silent has a way for its frames', async (t) => {
  for (const row of surface) if (row.silent) t.ok(silentOperations.has(row.operation), row.tag)
})

t.test('what is for services only is on neither edge', async (t) => {
  const names = new Set(surface.map((row) => row.operation.name))
  for (const name of ['group.groupsOfUser', 'group.membersOf', 'user.put', 'user.get', 'user.revoke', 'message.range'])
    t.notOk(names.has(name), name)
})
