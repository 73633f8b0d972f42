import type { UserId } from '@qunxin/contracts'
import t from 'tap'
import type { Message } from '../../src/domain/message.ts'
import { Absences } from '../../src/fanout/absences.ts'
import { message, reachOf } from '../sample.ts'

function setup(groupLimit = 100) {
  const reported: [seq: number, users: readonly UserId[]][] = []
  const report = ({ seq }: Message, users: readonly UserId[]) => reported.push([seq, users])
  const unknown: number[] = []
  const unknownOf = ({ seq }: Message) => unknown.push(seq)
  return { reported, unknown, absences: new Absences({ groupLimit, report, unknown: unknownOf }) }
}

const frame = (fields: Partial<Message>, again = false) => ({ frame: { message: message(fields), except: '', again } })
const on = (...users: UserId[]) => new Map(users.map((user) => [user, new Set(['a'])] as const))

t.test('the receiver of a personal message is told of when no gateway holds them, the sender never', (t) => {
  const { absences, reported } = setup()
  absences.look([frame({ seq: 1 })], reachOf(on('1')))
  absences.look([frame({ seq: 2 })], reachOf(on('2')))
  absences.look([frame({ seq: 3 })], reachOf(on()))
  t.same(reported, [
    [1, ['2']],
    [3, ['2']],
  ])
  t.end()
})

t.test('of a group those are told of who are members and nowhere, of each message without its sender', (t) => {
  const { absences, reported, unknown } = setup()
  const members = new Map([['5', new Set(['1', '2', '3', '4'])]])
  const job = [frame({ seq: 1, group: '5' }), frame({ seq: 2, group: '5', from: '3' }), frame({ seq: 7, group: '6' })]
  absences.look(job, reachOf(on('2'), members))
  t.same(reported, [
    [1, ['3', '4']],
    [2, ['1', '4']],
  ])
  t.same(unknown, [7], 'of a group that could not be asked for it is found out later')
  t.end()
})

t.test('of groups over the limit nobody is told of', (t) => {
  const { absences, reported } = setup(2)
  const members = new Map([
    ['5', new Set(['1', '2', '3'])],
    ['6', new Set(['1', '2'])],
  ])
  absences.look([frame({ seq: 1, group: '5' }), frame({ seq: 1, group: '6' })], reachOf(on(), members))
  t.same(reported, [[1, ['2']]])
  absences.unreached(message({ seq: 2, group: '5' }), ['2'], members.get('5'))
  absences.unreached(message({ seq: 3, group: '6' }), ['1', '2'], members.get('6'))
  absences.unreached(message({ seq: 4 }), ['2'], undefined)
  t.same(reported.slice(1), [
    [3, ['2']],
    [4, ['2']],
  ])
  const none = setup(0)
  none.absences.look([frame({ seq: 1, group: '6' }), frame({ seq: 1 })], reachOf(on(), members))
  t.same(none.reported, [[1, ['2']]], 'with 0 of no group')
  t.end()
})

t.test('a repeat is told of when its first fan-out was not ours, and once', (t) => {
  const { absences, reported } = setup()
  const nowhere = reachOf(on())
  absences.look([frame({ seq: 7 }, true), frame({ seq: 8 }, true)], nowhere)
  t.same(
    reported.map(([seq]) => seq),
    [7, 8],
    'the tail another process left',
  )
  absences.look([frame({ seq: 9 })], nowhere)
  absences.look([frame({ seq: 7 }, true), frame({ seq: 9 }, true)], nowhere)
  t.same(reported.length, 3)
  absences.look([frame({ seq: 6 }, true)], nowhere)
  t.same(reported.length, 4, 'an older one we know nothing of')
  t.end()
})

t.test('a recall or an edit is nothing anybody missed', (t) => {
  const { absences, reported } = setup()
  const change = { kind: 'recall' as const, seq: 1, msgId: 'm1' }
  absences.look([frame({ seq: 2, change })], reachOf(on()))
  t.same(reported, [])
  t.end()
})
