import t from 'tap'
import { frame, getUserId } from '../src/index.ts'

t.test('a frame of a tag without input may leave data out, as seed B shows canConnect', async (t) => {
  t.same(frame.parse({ tag: 'canConnect' }), { tag: 'canConnect', data: undefined })
  t.same(frame.parse({ tag: 'canConnect', data: null }), { tag: 'canConnect', data: null })
})

t.test('without a usable tag it is none', async (t) => {
  for (const wrong of [null, [], 'canConnect', {}, { tag: 7 }, { tag: '' }, { tag: 'a'.repeat(65) }])
    t.notOk(frame.safeParse(wrong).success, JSON.stringify(wrong))
})

t.test('a binding that leaves its extensions empty has none', async (t) => {
  for (const empty of ['', null, undefined])
    t.match(getUserId.parse({ userId: 7, accessToken: empty, sync: empty }), {
      userId: '7',
      accessToken: undefined,
      sync: undefined,
    })
  t.match(getUserId.parse({ userId: '7', accessToken: 'a', sync: true }), { accessToken: 'a', sync: true })
  t.notOk(getUserId.safeParse({ userId: 7, sync: 'yes' }).success)
  t.notOk(getUserId.safeParse({ userId: 7, accessToken: 7 }).success)
})
