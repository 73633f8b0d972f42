import { pairOf } from '@qunxin/contracts'
import type { Routes } from '../fanout/routes.ts'
import type { Cursors } from '../store/cursors.ts'
import type { Flushed } from './gathering.ts'
import { type NewestOptions, newestFor } from './newest.ts'
import { withOthers } from './others.ts'
import { isStillOurs, type Place, type StatePush, tenures } from './place.ts'
import { ownState, peerState } from './states.ts'
import type { Told } from './told.ts'
import type { Waiting } from './waiting.ts'

export interface PersonalOptions {
  cursors: Cursors
  newest: NewestOptions
  place: Place
  routes: Pick<Routes, 'nodesOf'>
  told: Told
}

/**
 * Stores how far users are in personal conversations, then tells their peers, and their other connections when they have read.
 * What is told is what was read back: of two owners' pushes the further one is the newer, in whatever order they come.
 */
export async function flushPersonal(options: PersonalOptions, waiting: readonly Waiting[]): Promise<Flushed> {
  const { cursors, newest, place, routes, told } = options
  const held = tenures(place, waiting)
  const theirs = waiting.filter(({ user, conversation }) => pairOf(conversation)?.includes(user))
  const upTo = await newestFor(newest, theirs)
  const moves = theirs.flatMap((one) => {
    const last = upTo.get(one.conversation) ?? 0
    const cursor = { deliveredSeq: Math.min(one.delivered, last), readSeq: Math.min(one.read, last) }
    return last === 0 || told.covers(one, cursor) ? [] : [{ one, user: one.user, reader: one.reader, cursor }]
  })
  await cursors.advance(moves.map(({ one, cursor }) => ({ user: one.user, conversation: one.conversation, ...cursor })))
  const stored = await cursors.each(moves.map(({ one }) => one))
  const read = moves.filter(({ one, cursor }) => cursor.readSeq > told.of(one).readSeq)
  const others = new Set((await withOthers(routes, read)).map(({ one }) => one))

  const pushes: StatePush[] = []
  const lost: Waiting[] = []
  for (const [index, { one }] of moves.entries()) {
    const { user, conversation, reader } = one
    const cursor = stored[index]
    if (!cursor) continue
    if (!isStillOurs(place, held, conversation)) {
      lost.push(one)
      continue
    }
    pushes.push(peerState(conversation, user, cursor))
    if (others.has(one)) pushes.push(ownState(conversation, user, { cursor, except: reader?.conn }))
    told.add(one, cursor)
  }
  return { again: [], lost, told: place.tell(pushes) }
}
