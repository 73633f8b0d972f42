import { groupId } from '@qunxin/contracts'
import t from 'tap'
import { newGroupId } from '../src/group-id.ts'

t.test('a group id is 15 digits, survives being a number, and is another one each time', async (t) => {
  const ids = Array.from({ length: 2_000 }, newGroupId)
  t.equal(new Set(ids).size, ids.length)
  for (const id of ids) {
    if (!/^[1-9]\d{14}$/.test(id) || groupId.parse(Number(id)) !== id) t.fail(id)
  }
})
