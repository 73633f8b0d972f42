import type { Clock } from '@qunxin/runtime'
import t from 'tap'
import { createGroup } from '../../src/domain/create.ts'
import type { Ports } from '../../src/domain/ports.ts'
import { MemoryGroupStore } from '../../src/store/memory/memory-group-store.ts'
import { MemoryOutbox } from '../../src/store/memory/memory-outbox.ts'
import { MemoryUserStore } from '../../src/store/memory/memory-user-store.ts'

function portsWith(ids: string[], clock: Clock = { now: () => 1_000 }): Ports {
  return {
    store: new MemoryGroupStore(new MemoryOutbox()),
    users: new MemoryUserStore(),
    owners: { apply: async () => 0 },
    gateways: { revoke: () => {} },
    clock,
    newGroupId: () => ids.shift() ?? '1',
    membersMax: 10,
  }
}

t.test('an id that is taken is left to its group, and another one is tried', async (t) => {
  const ports = portsWith(['1', '1', '1', '2'])
  t.same(await createGroup(ports, '7', { groupName: '一', memberIds: [] }), { groupId: '1' })
  t.same(await createGroup(ports, '8', { groupName: '二', memberIds: [] }), { groupId: '2' })
  t.equal((await ports.store.findMember('1', '7'))?.group.groupName, '一')
})

t.test('without a free id it gives up rather than trying for ever', async (t) => {
  const ports = portsWith([])
  await createGroup(ports, '7', { groupName: '一', memberIds: [] })
  await t.rejects(createGroup(ports, '7', { groupName: '二', memberIds: [] }), { message: /no free group id/ })
})

t.test('a taskId counts for 24 hours', async (t) => {
  let now = 1_000
  const ports = portsWith(['1', '2', '3'], { now: () => now })
  const create = () => createGroup(ports, '7', { groupName: '一', memberIds: [], taskId: 'x' })
  t.same(await create(), { groupId: '1' })
  now += 24 * 3_600_000 - 1
  t.same(await create(), { groupId: '1' })
  now += 2
  t.not((await create()).groupId, '1')
})
