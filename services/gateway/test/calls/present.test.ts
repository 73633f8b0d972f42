import { AppError } from '@qunxin/runtime'
import t from 'tap'
import { answerTo, refusalData, refusalTo, successData, taskIdOf } from '../../src/calls/present.ts'
import { type Row, rowOfTag } from '../../src/surface.ts'

const row = (tag: string): Row => rowOfTag.get(tag) as Row
const group = {
  groupId: '1',
  groupName: '九鲜',
  groupHeadImage: '',
  creator: 7,
  memberIds: [8],
  updateDate: 2,
  createDate: 1,
}

t.test('HTTP: success, info, and the output beside them', async (t) => {
  const cases: [string, unknown, Record<string, unknown>][] = [
    ['joinGroup', {}, { success: true, info: '申请入群成功' }],
    ['groupList', { groupList: [] }, { success: true, info: '获取群列表成功', groupList: [] }],
    ['userSetGroup', {}, { success: true, info: '设置群显示名称成功' }],
    ['exitGroup', { groupName: '悦尚九鲜项目' }, { success: true, info: '您已成功退出悦尚九鲜项目群' }],
    ['exitGroup', { groupName: '悦尚九鲜项目群' }, { success: true, info: '您已成功退出悦尚九鲜项目群' }],
    ['deleteUser', { name: '彪彪' }, { success: true, info: '已成功踢出成员彪彪' }],
    ['updateGroup', {}, { success: true, info: '修改群资料成功' }],
    [
      'loadChatRecords',
      { recordList: [], hasMore: false },
      { success: true, info: '加载聊天记录成功', recordList: [], hasMore: false },
    ],
    ['createGroup', { groupId: '1' }, { success: true, info: '创建群成功', groupId: '1' }],
    ['queryGroupList', [group], { success: true, info: '获取群列表成功', groupList: [group] }],
    ['queryGroupInfo', group, { success: true, info: '获取群信息成功', ...group }],
    ['deleteGroup', {}, { success: true, info: '解散群成功' }],
  ]
  for (const [tag, output, data] of cases) t.strictSame(successData(row(tag), output, 'zh'), data, tag)
})

t.test('HTTP in English', async (t) => {
  t.match(successData(row('joinGroup'), {}, 'en'), { info: 'You have joined the group' })
  t.match(successData(row('exitGroup'), { groupName: 'Tea' }, 'en'), { info: 'You have left Tea' })
  t.strictSame(refusalData(new AppError('GROUP_FULL'), 'en'), {
    success: false,
    info: 'The group is full',
    code: 'GROUP_FULL',
  })
})

t.test("socket: seed A's whole data as result, seed B's output, or no result at all", async (t) => {
  const asked = { taskId: 't1', language: 'zh' as const }
  t.strictSame(answerTo(row('exitGroup'), { groupName: '九鲜' }, asked), {
    code: 0,
    taskId: 't1',
    result: { success: true, info: '您已成功退出九鲜群' },
  })
  t.strictSame(answerTo(row('queryGroupList'), [group], asked), { code: 0, taskId: 't1', result: [group] })
  t.strictSame(answerTo(row('addGroupMembers'), {}, asked), { code: 0, taskId: 't1', result: {} })
  t.strictSame(answerTo(row('updateGroupInfo'), {}, asked), { code: 0, taskId: 't1' })
  t.strictSame(answerTo(row('deleteGroup'), {}, asked), { code: 0, taskId: 't1' })
})

t.test('a taskId comes back as it was: an empty one too, an absent one not', async (t) => {
  for (const taskId of ['', 't', 0, 17]) {
    t.strictSame(answerTo(row('deleteGroup'), {}, { taskId: taskIdOf({ taskId }), language: 'zh' }), {
      code: 0,
      taskId,
    })
  }
  t.strictSame(answerTo(row('deleteGroup'), {}, { taskId: taskIdOf({}), language: 'zh' }), { code: 0 })
  for (const data of [undefined, null, 'text', []]) t.equal(taskIdOf(data), undefined)
  for (const taskId of [null, {}, [], true, 'x'.repeat(129)])
    t.throws(() => taskIdOf({ taskId }), { code: 'BAD_REQUEST', details: { field: 'taskId' } })
})

t.test('a refusal on the socket has the number, the text and the details', async (t) => {
  t.strictSame(refusalTo(new AppError('NOT_ALLOWED'), { taskId: 't', language: 'zh' }), {
    code: 2003,
    taskId: 't',
    info: '您没有权限执行此操作',
  })
  t.strictSame(refusalTo(new AppError('BAD_REQUEST', { details: { field: 'groupId' } }), { language: 'en' }), {
    code: 1001,
    info: 'The request is malformed',
    details: { field: 'groupId' },
  })
  t.notOk('details' in refusalTo(new AppError('TIMEOUT', { details: { subject: 'x' } }), { language: 'zh' }))
})
