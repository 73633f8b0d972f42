import { partitionOf } from '@qunxin/contracts'
import t from 'tap'
import { Typing } from '../../src/send/typing.ts'

t.test('of one user in one conversation the owner is told once in two seconds', async (t) => {
  const told: [string, unknown][] = []
  const bus = {
    writable: true,
    publish: (name: string, payload: unknown) => told.push([name, JSON.parse(`${payload}`)]),
  }
  const typing = new Typing({ bus, partitions: 8 })
  typing.take('1', 'p1-2', 0)
  typing.take('1', 'p1-2', 1_999)
  typing.take('2', 'p1-2', 1_999)
  typing.take('1', 'g7', 1_999)
  typing.take('1', 'p1-2', 2_000)
  bus.writable = false
  typing.take('3', 'p1-3', 2_000)
  t.same(told, [
    [`partition.${partitionOf('p1-2', 8)}.typing`, { user: '1', conversation: 'p1-2' }],
    [`partition.${partitionOf('p1-2', 8)}.typing`, { user: '2', conversation: 'p1-2' }],
    [`partition.${partitionOf('g7', 8)}.typing`, { user: '1', conversation: 'g7' }],
    [`partition.${partitionOf('p1-2', 8)}.typing`, { user: '1', conversation: 'p1-2' }],
  ])
})
