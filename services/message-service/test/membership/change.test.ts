import { membershipChange } from '@qunxin/contracts'
import t from 'tap'
import { pushesOf } from '../../src/membership/change.ts'

const change = (fields: object) => membershipChange.parse({ groupId: '5', version: 2, ...fields })

t.test('a change that is none is not pushed', async (t) => {
  t.same(pushesOf(change({}), new Set(['1'])), [])
})

t.test('a kick reaches the list of who was kicked, and the members who stay', async (t) => {
  const notice = { reason: 'kicked', byUserId: '1', userIds: ['2'], listChanged: ['2'] }
  t.same(pushesOf(change({ removed: ['2'], notice }), new Set(['1', '2'])), [
    { tag: 'groupListChanged', data: { groupId: '5', reason: 'kicked' }, to: { users: ['2'] } },
    {
      tag: 'groupChanged',
      data: { groupId: '5', reason: 'kicked', byUserId: 1, userIds: [2] },
      to: { group: '5' },
    },
  ])
})

t.test('a new group is news for the lists of its members only', async (t) => {
  const notice = { reason: 'created', byUserId: '1', listChanged: ['1', '2'] }
  t.same(pushesOf(change({ notice }), undefined), [
    { tag: 'groupListChanged', data: { groupId: '5', reason: 'created' }, to: { users: ['1', '2'] } },
  ])
})

t.test('that a group is deleted is told to those who were in it', async (t) => {
  const notice = { reason: 'deleted', byUserId: '1', listChanged: ['1', '2'] }
  const [, told] = pushesOf(change({ deleted: true, notice }), new Set(['1', '2', '3']))
  t.same(told?.to, { users: ['1', '2', '3'] })
  const [, toldCold] = pushesOf(change({ deleted: true, notice }), undefined)
  t.same(toldCold?.to, { users: ['1', '2'] })
})
