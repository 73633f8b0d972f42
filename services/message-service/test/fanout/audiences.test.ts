import type { UserId } from '@qunxin/contracts'
import t from 'tap'
import { Audiences } from '../../src/fanout/audiences.ts'
import { everywhere, LateRoutes, type Routes } from '../../src/fanout/routes.ts'

const users = Array.from({ length: 50 }, (_, index) => String(index + 1))
const members: ReadonlySet<UserId> = new Set(users)

/** Everybody on node `a` but those who left; `looked` counts how often somebody asked. */
function setup() {
  const state = { looked: 0, left: new Set<UserId>(), uncertain: new Set<UserId>(), looking: Promise.resolve() }
  const [here, nowhere]: readonly [ReadonlySet<string>, ReadonlySet<string>] = [new Set(['a']), new Set()]
  const on = (user: UserId) => (state.left.has(user) ? nowhere : here)
  const routes = new LateRoutes(() => [])
  const audiences = new Audiences(routes)
  const real: Routes = {
    ...everywhere(() => []),
    async nodesOf(users) {
      state.looked += 1
      const anywhere = new Set(['a', 'b'])
      const find = (user: UserId) => [user, state.uncertain.has(user) ? anywhere : on(user)] as const
      const found = new Map([...users].map(find))
      await state.looking
      return found
    },
    cached: (user) => (state.uncertain.has(user) ? undefined : on(user)),
    unbound: (_, gone) => {
      for (const user of gone) state.left.add(user)
    },
  }
  routes.use(real)
  const sizes = async (of = members) => {
    const { nodes, nowhere } = await audiences.of('5', of)
    return [nodes.get('a')?.length ?? 0, nowhere.length]
  }
  return { state, routes, sizes }
}

t.test('an audience is put together once, until one of its members comes or goes', async (t) => {
  const { state, routes, sizes } = setup()
  t.same(await sizes(), [50, 0])
  t.same(await sizes(), [50, 0])
  routes.unbound('a', ['1000'])
  t.same(await sizes(), [50, 0])
  t.equal(state.looked, 1)
  routes.unbound('a', ['1000', '7'])
  t.same(await sizes(), [49, 1])
  t.same(await sizes(), [49, 1])
  t.equal(state.looked, 2)
  routes.bound('b', ['7'])
  await sizes()
  t.equal(state.looked, 3)
  routes.dropAll()
  await sizes()
  t.equal(state.looked, 4)
})

t.test('other members are another audience', async (t) => {
  const { state, sizes } = setup()
  await sizes()
  t.same(await sizes(new Set(users.slice(1))), [49, 0])
  t.same(await sizes(), [50, 0])
  t.equal(state.looked, 3)
})

t.test('what is not certain, or has changed while it was looked up, is looked up again', async (t) => {
  const { state, routes, sizes } = setup()
  state.uncertain.add('3')
  await sizes()
  await sizes()
  t.equal(state.looked, 2)
  state.uncertain.clear()
  const looking = Promise.withResolvers<void>()
  state.looking = looking.promise
  const sizesBefore = sizes()
  routes.unbound('a', ['9'])
  looking.resolve()
  t.same(await sizesBefore, [50, 0])
  t.same(await sizes(), [49, 1])
})

t.test('what was not certain when it was looked up is not kept, though it is certain by now', async (t) => {
  const { state, sizes } = setup()
  state.left.add('3')
  state.uncertain.add('3')
  const looking = Promise.withResolvers<void>()
  state.looking = looking.promise
  const sizesBefore = sizes()
  state.uncertain.clear()
  looking.resolve()
  t.same(await sizesBefore, [50, 0])
  t.same(await sizes(), [49, 1])
})

t.test('small groups are not kept, so that who comes and goes is looked for in few', async (t) => {
  const { state, sizes } = setup()
  const few = new Set(users.slice(0, 19))
  await sizes(few)
  await sizes(few)
  t.equal(state.looked, 2)
})
