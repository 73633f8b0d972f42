import t from 'tap'
import { History } from '../history.ts'
import type { FaultEvent } from '../result.ts'
import {
  acknowledgedAtLeast,
  endedInOrder,
  everybodyBack,
  everythingAcknowledged,
  nothingRefused,
  othersTookOver,
} from './bounds.ts'
import { httpBound } from './http.ts'
import type { Seen } from './seen.ts'

const COUNTS = { attempted: 5, acknowledged: 5, refused: 0, unknown: 0, delivered: 5, retried: 0 }

function seen(changes: Partial<Seen> = {}): Seen {
  return { history: new History('run'), faults: [], beganAt: 0, counts: COUNTS, ...changes }
}

t.test('a run with too little acknowledged proves nothing', async (t) => {
  t.ok(acknowledgedAtLeast(5)(seen()).held)
  t.notOk(acknowledgedAtLeast(6)(seen()).held)
})

t.test(
  'a send that ended without an acknowledgement breaks a bound, one that was sent again only the stricter one',
  async (t) => {
    const counts = (changes: object) => seen({ counts: { ...COUNTS, ...changes } })
    t.same(
      [everythingAcknowledged, nothingRefused].map((bound) => bound(seen()).held),
      [true, true],
    )
    t.same(
      [everythingAcknowledged, nothingRefused].map((bound) => bound(counts({ retried: 1 })).held),
      [true, false],
    )
    t.notOk(everythingAcknowledged(counts({ refused: 1 })).held)
    t.notOk(everythingAcknowledged(counts({ unknown: 1 })).held)
  },
)

t.test('how long a client was away is between one connection and the next', async (t) => {
  const history = new History('run')
  const [one, two] = [history.addClient(1), history.addClient(2)]
  history.disconnected(history.connected(one, 0), 1_000)
  history.connected(two, 0)
  history.connected(one, 31_000)
  t.match(everybodyBack(seen({ history })), { found: '30.0 s', held: true })
  history.disconnected(history.connected(two, 40_000), 50_000)
  history.connected(two, 80_001)
  t.match(everybodyBack(seen({ history })), { found: '30.0 s', held: false })
})

t.test('whoever is asked to end ends with 0 and in time, and somebody was asked', async (t) => {
  const event = (ended: FaultEvent['ended']): FaultEvent => ({
    at: 1,
    what: '',
    target: 'gateway-1',
    ...(ended && { ended }),
  })
  const held = (...faults: FaultEvent[]) => endedInOrder(seen({ faults })).held
  t.ok(held(event({ code: 0, signal: null, drainMs: 29_000 })))
  t.notOk(held(event({ code: 1, signal: null, drainMs: 5 })))
  t.notOk(held(event({ code: null, signal: 'SIGKILL', drainMs: 27_000 })))
  t.notOk(held(event({ code: 0, signal: null, drainMs: 30_001 })))
  t.notOk(held(event(undefined)))
})

t.test('after a stop every conversation goes on with something sent since', async (t) => {
  const history = new History('run')
  const client = history.addClient(1)
  const [quick, slow] = [history.conversation('p1-2'), history.conversation('p1-3')]
  const send = (conversation: number, intendedAt: number, acknowledgedAt: number) => {
    const { index } = history.attempt(client, conversation, { intendedAt })
    history.acknowledged(index, { seq: 1, at: 1 }, acknowledgedAt)
  }
  const faults = [{ at: 10, what: 'kill -STOP message-service-1 (pid 5) for 8 s' }]
  const bound = () => othersTookOver(seen({ history, faults, beganAt: 1_000 }))
  send(quick, 11_500, 12_000)
  send(slow, 10_999, 11_500)
  t.match(bound(), { held: false, found: 'not at all' }, 'what was sent before the stop does not count')
  send(slow, 12_000, 16_000)
  t.match(bound(), { held: true, found: '5.0 s' })
  t.notOk(othersTookOver(seen({ history })).held, 'without a stop nothing is shown')
  send(history.conversation('p1-4'), 12_000, 16_001)
  t.notOk(bound().held)
})

t.test('an HTTP error counts until the servers behind are restarted themselves', async (t) => {
  const error = (at: number) => ({ at, gateway: 'http://one', path: '/canConnect', status: 503 })
  const caller = (...at: number[]) => ({ errors: at.map(error), answered: 9 }) as Parameters<typeof httpBound>[0][0]
  const faults = [
    { at: 5, what: 'kill -TERM', target: 'gateway-1' },
    { at: 20, what: 'kill -TERM', target: 'nats-server' },
  ]
  const held = (...callers: Parameters<typeof httpBound>[0]) =>
    httpBound(callers, seen({ faults, beganAt: 1_000 })).held
  t.ok(held(caller(), caller(500, 21_001)))
  t.notOk(held(caller(), caller(20_999)))
  t.notOk(held(), 'without an answer nothing is shown')
})
