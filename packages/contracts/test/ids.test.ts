import t from 'tap'
import { groupId, milliseconds, msgId, receiverId, userId } from '../src/index.ts'

t.test('a user id is taken as a number or as digits and comes out as a decimal string', async (t) => {
  t.equal(userId.parse(1000221), '1000221')
  t.equal(userId.parse('1000221'), '1000221')
  t.equal(userId.parse(Number.MAX_SAFE_INTEGER), '9007199254740991')
})

t.test('what is no user id is refused', async (t) => {
  for (const wrong of [
    0,
    -1,
    1.5,
    '0',
    '01',
    '',
    ' 1',
    '1e3',
    '9007199254740992',
    9007199254740992,
    { $ne: 1 },
    [1],
    null,
    true,
  ]) {
    t.notOk(userId.safeParse(wrong).success, JSON.stringify(wrong))
  }
})

t.test('a receiver may be 0, so that sending to nobody is answered as such', async (t) => {
  t.equal(receiverId.parse(0), '0')
  t.equal(receiverId.parse('0'), '0')
})

t.test('operators and objects never pass for ids', async (t) => {
  for (const wrong of [{ $gt: '' }, '$ne', 'a.b', ['1'], 'x'.repeat(30)]) {
    t.notOk(groupId.safeParse(wrong).success)
    t.notOk(msgId.safeParse(wrong).success && typeof wrong !== 'string')
  }
  t.notOk(msgId.safeParse('$ne').success)
  t.notOk(msgId.safeParse('a.b').success)
  t.notOk(msgId.safeParse('x'.repeat(65)).success)
  t.ok(msgId.safeParse('5I02W-16-8278a_').success)
})

t.test('a time is taken as a number or as digits', async (t) => {
  t.equal(milliseconds.parse('1403166586000'), 1403166586000)
  t.equal(milliseconds.parse(1403166586000), 1403166586000)
  t.notOk(milliseconds.safeParse('soon').success)
})
