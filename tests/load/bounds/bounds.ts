import { outcomes } from '../history.ts'
import type { Bound } from '../result.ts'
import type { Seen } from './seen.ts'

const TOOK_OVER_MS = 5_000
const BACK_MS = 30_000
const ENDED_MS = 30_000

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`

/** The run was worth something. */
export function acknowledgedAtLeast(count: number) {
  return ({ counts }: Seen): Bound => ({
    what: 'acknowledged',
    limit: `≥ ${count}`,
    found: `${counts.acknowledged}`,
    held: counts.acknowledged >= count,
  })
}

/** Every client was never without a connection for longer, and is connected at the end. */
export function everybodyBack({ history: { connections } }: Seen): Bound {
  const left = new Map<number, number>()
  let longest = 0
  for (let row = 0; row < connections.client.length; row++) {
    const client = connections.client.at(row)
    const since = left.get(client)
    if (since !== undefined) longest = Math.max(longest, connections.boundAt.at(row) - since)
    left.set(client, connections.closedAt.at(row))
  }
  return { what: 'every client back', limit: '≤ 30 s', found: seconds(longest), held: longest <= BACK_MS }
}

/** Whoever was asked to end did, in order and in time. */
export function endedInOrder({ faults }: Seen): Bound {
  const ended = faults.flatMap(({ target, ended }) => (ended ? [{ target, ...ended }] : []))
  const wrong = ended.filter(({ code, drainMs }) => code !== 0 || drainMs > ENDED_MS)
  const longest = Math.max(0, ...ended.map(({ drainMs }) => drainMs))
  const said = wrong.map(
    ({ target, code, signal, drainMs }) => `${target}: ${code ?? signal} after ${seconds(drainMs)}`,
  )
  return {
    what: 'exit code of each process asked to end',
    limit: '0, ≤ 30 s',
    found: wrong.length === 0 ? `0 of all ${ended.length}, ${seconds(longest)} at most` : said.join(', '),
    held: ended.length > 0 && wrong.length === 0,
  }
}

/** After each stop, every conversation goes on within five seconds: something sent after it is acknowledged by then. */
export function othersTookOver({ history, faults, beganAt }: Seen): Bound {
  const stops = faults.filter(({ what }) => what.startsWith('kill -STOP')).map(({ at }) => beganAt + at * 1_000)
  const { attempts, conversations } = history
  let longest = stops.length === 0 ? Number.POSITIVE_INFINITY : 0
  for (const stop of stops) {
    const firstAck = new Map<number, number>()
    for (let attempt = 0; attempt < attempts.sender.length; attempt++) {
      if (attempts.intendedAt.at(attempt) < stop || attempts.outcome.at(attempt) !== outcomes.acknowledged) continue
      const conversation = attempts.conversation.at(attempt)
      const known = firstAck.get(conversation) ?? Number.POSITIVE_INFINITY
      firstAck.set(conversation, Math.min(known, attempts.acknowledgedAt.at(attempt)))
    }
    for (const conversation of conversations.keys())
      longest = Math.max(longest, (firstAck.get(conversation) ?? Number.POSITIVE_INFINITY) - stop)
  }
  return {
    what: 'every conversation goes on after a stop',
    limit: '≤ 5 s',
    found: longest === Number.POSITIVE_INFINITY ? 'not at all' : seconds(longest),
    held: longest <= TOOK_OVER_MS,
  }
}

/** However often clients had to send again: in the end each send was acknowledged. */
export function everythingAcknowledged({ counts: { refused, unknown } }: Seen): Bound {
  return {
    what: 'sends that were not acknowledged in the end',
    limit: 'none',
    found: refused + unknown === 0 ? 'none' : `${refused} refused, ${unknown} without an answer`,
    held: refused + unknown === 0,
  }
}

/** Not even for a moment: no client had to send anything again. */
export function nothingRefused({ counts: { refused, retried = 0 } }: Seen): Bound {
  return {
    what: 'sends refused',
    limit: 'none',
    found: `${refused} for good, ${retried} for a while`,
    held: refused + retried === 0,
  }
}
