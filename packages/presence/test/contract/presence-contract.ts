import { randomInt } from 'node:crypto'
import type { UserId } from '@qunxin/contracts'
import type { Test } from 'tap'
import { connectionId, newNodeId, type Registry, type Routes } from '../../src/index.ts'

/** Gateways and readers over one store. */
export interface PresenceUnderTest {
  /** Resolves when readers may trust it. */
  gateway(node: string, options?: { connectionsPerUser?: number }): Promise<Registry>
  reader(): Routes
  /** The process of that gateway dies and its heartbeat has lapsed. */
  kill(node: string): Promise<void>
}

const newUser = (): UserId => String(randomInt(1, 2 ** 47))
let madeAt = Date.now()
/** Connections made one behind the other. */
const newConn = () => connectionId(madeAt++)

const nodesOf = async (routes: Routes, user: UserId) => [...((await routes.nodesOf([user])).get(user) ?? [])].sort()

/** What every implementation of Registry and Routes does. */
export function presenceContract(t: Test, make: (t: Test) => Promise<PresenceUnderTest>): void {
  t.test('a user is found on the node that holds the socket, and nowhere before', async (t) => {
    const presence = await make(t)
    const gateway = await presence.gateway(newNodeId('a'))
    const [here, elsewhere] = [newUser(), newUser()]
    await gateway.add(here, newConn())
    const routes = await presence.reader().nodesOf([here, elsewhere])
    t.same([...(routes.get(here) ?? [])], [gateway.node])
    t.equal(routes.get(elsewhere)?.size, 0, 'every user asked for has an entry')
  })

  t.test('a user with devices on two nodes is found on both, until the last one of a node is gone', async (t) => {
    const presence = await make(t)
    const [one, two] = [await presence.gateway(newNodeId('a')), await presence.gateway(newNodeId('b'))]
    const user = newUser()
    const [first, second, third] = [newConn(), newConn(), newConn()]
    await one.add(user, first)
    await one.add(user, second)
    await two.add(user, third)
    t.same(await nodesOf(presence.reader(), user), [one.node, two.node].sort())
    await one.remove(user, first)
    t.same(await nodesOf(presence.reader(), user), [one.node, two.node].sort())
    await one.remove(user, second)
    t.same(await nodesOf(presence.reader(), user), [two.node])
  })

  t.test('who comes and goes in one moment, while others go, has gone', async (t) => {
    const presence = await make(t)
    const gateway = await presence.gateway(newNodeId('a'))
    const [stays, goes, passes] = [newUser(), newUser(), newUser()]
    const [first, second] = [newConn(), newConn()]
    await gateway.add(goes, first)
    await Promise.all([
      gateway.remove(goes, first),
      gateway.add(stays, newConn()),
      gateway.add(passes, second),
      gateway.remove(passes, second),
    ])
    const found = await Promise.all([stays, goes, passes].map((user) => nodesOf(presence.reader(), user)))
    t.same(found, [[gateway.node], [], []])
  })

  t.test('a node takes away only its own entries', async (t) => {
    const presence = await make(t)
    const [one, two] = [await presence.gateway(newNodeId('a')), await presence.gateway(newNodeId('b'))]
    const user = newUser()
    const conn = newConn()
    await one.add(user, conn)
    await two.remove(user, conn)
    t.same(await nodesOf(presence.reader(), user), [one.node])
    await two.stop()
    t.same(await nodesOf(presence.reader(), user), [one.node])
  })

  t.test(
    'a late clean-up by the process before does not touch the session that came after (interleaving 11)',
    async (t) => {
      const presence = await make(t)
      const before = await presence.gateway(newNodeId('a'))
      const after = await presence.gateway(newNodeId('a'))
      t.not(before.node, after.node, 'a process that starts again is another node')
      const user = newUser()
      const old = newConn()
      await before.add(user, old)
      await after.add(user, newConn())
      await after.add(user, old)
      await before.remove(user, old)
      await before.stop()
      t.same(await nodesOf(presence.reader(), user), [after.node])
    },
  )

  t.test('the connections above the limit come back, oldest first, whichever node holds them', async (t) => {
    const presence = await make(t)
    const one = await presence.gateway(newNodeId('a'), { connectionsPerUser: 3 })
    const two = await presence.gateway(newNodeId('b'), { connectionsPerUser: 3 })
    const user = newUser()
    const conns = [newConn(), newConn(), newConn(), newConn()]
    for (const conn of [conns[1], conns[0]]) t.same(await two.add(user, conn!), { connections: [], excess: [] })
    t.same(await one.add(user, conns[2]!), { connections: [], excess: [] })
    const { connections, excess } = await one.add(user, conns[3]!)
    t.same(
      connections.map(({ conn }) => conn),
      conns,
    )
    t.same(excess, [{ conn: conns[0], node: two.node }])
  })

  t.test('a connection that goes in the moment another comes does not count for the limit', async (t) => {
    const presence = await make(t)
    const gateway = await presence.gateway(newNodeId('a'), { connectionsPerUser: 2 })
    const user = newUser()
    const [stays, goes] = [newConn(), newConn()]
    for (const conn of [stays, goes]) await gateway.add(user, conn)
    const [, added] = await Promise.all([gateway.remove(user, goes), gateway.add(user, newConn())])
    t.same(added, { connections: [], excess: [] })
  })

  t.test('connections of a dead process do not count for the limit', async (t) => {
    const presence = await make(t)
    const dead = await presence.gateway(newNodeId('a'), { connectionsPerUser: 2 })
    const alive = await presence.gateway(newNodeId('b'), { connectionsPerUser: 2 })
    const user = newUser()
    await dead.add(user, newConn())
    await dead.add(user, newConn())
    await presence.kill(dead.node)
    t.same(await alive.add(user, newConn()), { connections: [], excess: [] })
  })

  t.test('the entries of a dead process are void', async (t) => {
    const presence = await make(t)
    const gateway = await presence.gateway(newNodeId('a'))
    const user = newUser()
    await gateway.add(user, newConn())
    await presence.kill(gateway.node)
    t.same(await nodesOf(presence.reader(), user), [])
  })

  t.test('a gateway that stops leaves nothing behind', async (t) => {
    const presence = await make(t)
    const gateway = await presence.gateway(newNodeId('a'))
    const user = newUser()
    await gateway.add(user, newConn())
    await gateway.stop()
    t.same(await nodesOf(presence.reader(), user), [])
  })

  t.test('a reader that asked before learns of a new node by its notice (interleaving 8)', async (t) => {
    const presence = await make(t)
    const [one, two] = [await presence.gateway(newNodeId('a')), await presence.gateway(newNodeId('b'))]
    const routes = presence.reader()
    const user = newUser()
    t.same(await nodesOf(routes, user), [])
    for (const gateway of [one, two]) {
      await gateway.add(user, newConn())
      routes.bound(gateway.node, [user])
    }
    t.same(await nodesOf(routes, user), [one.node, two.node].sort())
  })

  t.test('a reader that is told of a leaving forgets the node', async (t) => {
    const presence = await make(t)
    const gateway = await presence.gateway(newNodeId('a'))
    const routes = presence.reader()
    const user = newUser()
    const conn = newConn()
    await gateway.add(user, conn)
    t.same(await nodesOf(routes, user), [gateway.node])
    await gateway.remove(user, conn)
    routes.unbound(gateway.node, [user])
    t.same(await nodesOf(routes, user), [])
  })

  t.test('after dropping everything a reader asks again', async (t) => {
    const presence = await make(t)
    const gateway = await presence.gateway(newNodeId('a'))
    const routes = presence.reader()
    const user = newUser()
    t.same(await nodesOf(routes, user), [])
    await gateway.add(user, newConn())
    routes.dropAll()
    t.same(await nodesOf(routes, user), [gateway.node])
  })

  t.test('thousands of users are answered in one call', async (t) => {
    const presence = await make(t)
    const gateway = await presence.gateway(newNodeId('a'))
    const users = Array.from({ length: 1_700 }, newUser)
    await Promise.all(users.map((user, i) => (i % 2 === 0 ? gateway.add(user, newConn()) : undefined)))
    const routes = await presence.reader().nodesOf(users)
    t.equal(routes.size, users.length)
    t.ok(users.every((user, i) => routes.get(user)?.has(gateway.node) === (i % 2 === 0)))
  })

  t.test('who has a connection is online, on whichever node, and who has none is not', async (t) => {
    const presence = await make(t)
    const [one, two] = [await presence.gateway(newNodeId('a')), await presence.gateway(newNodeId('b'))]
    const [both, first, nobody] = [newUser(), newUser(), newUser()]
    const conn = newConn()
    await one.add(both, newConn())
    await two.add(both, newConn())
    await one.add(first, conn)
    const routes = presence.reader()
    t.same(await routes.online([nobody, both, first]), new Set([both, first]))
    await one.remove(first, conn)
    t.same(await routes.online([nobody, both, first]), new Set([both]), 'nothing of it is remembered')
    await presence.kill(one.node)
    t.same(await routes.online([both, first]), new Set([both]))
    await presence.kill(two.node)
    t.same(await routes.online([both, first]), new Set())
    t.same(await routes.online([]), new Set())
  })
}
