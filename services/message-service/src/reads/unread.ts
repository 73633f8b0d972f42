import type { ConversationId, UserId } from '@qunxin/contracts'
import type { Message } from '../domain/message.ts'
import type { Cursor } from '../domain/present.ts'
import { countedTo, newestWindow, uncounted, unreadOf, type Window, windowBehind } from '../domain/unread.ts'
import { clipped, type SeqRange } from '../domain/visibility.ts'
import type { Begins, CountAsked, Overviews } from '../store/overviews.ts'

/** A conversation of a list, as far as it is known before anything is counted. */
export interface Listed {
  conversation: ConversationId
  head: Message
  /** How far the user is, or is taken to be since joining. */
  cursor: Cursor
  ranges: readonly SeqRange[]
}

export interface Counted {
  unread: ReadonlyMap<ConversationId, number>
  /** The newest message that may be seen; none where nothing may. */
  lasts: ReadonlyMap<ConversationId, Message>
}

/** Counts unread messages, and finds the last message where the newest entry is none or may not be seen: two commands at most. */
export async function countUnread(overviews: Overviews, user: UserId, listed: readonly Listed[]): Promise<Counted> {
  const lasts = new Map<ConversationId, Message>()
  const hidden: Listed[] = []
  for (const one of listed) {
    if (isShown(one)) lasts.set(one.conversation, one.head)
    // What has come since stands behind the lastSeq that is told.
    else hidden.push({ ...one, ranges: clipped(one.ranges, { fromSeq: 1, toSeq: one.head.seq }) })
  }
  const windows = listed.flatMap(({ conversation, head, cursor, ranges }) => {
    const from = ranges.at(-1)?.fromSeq ?? 1
    const first = windowBehind(conversation, Math.max(cursor.readSeq, from - 1), head.seq)
    return first ? { first, newest: newestWindow(first, head.seq) } : []
  })
  const both = windows.flatMap(({ first, newest }) => (newest ? [first, newest] : [first]))
  const begins = await overviews.begins({ windows: both, lasts: hidden })
  for (const [conversation, last] of begins.lasts) lasts.set(conversation, last)
  const heads = new Map(listed.map(({ conversation, head }) => [conversation, head] as const))
  const isStored = ({ conversation, toSeq }: Window) => begins.times.get(conversation)?.has(toSeq)
  const counted = windows.map(({ first, newest }) => (newest && !isStored(first) ? newest : first))
  const asked = counted.map((window) => countAsked(user, window, { begins, head: heads.get(window.conversation) }))
  const others = await overviews.countOthers(
    user,
    asked.map(({ count }) => count),
  )
  const unread = asked.map(
    ({ count: { conversation }, left }) => [conversation, unreadOf(others.get(conversation) ?? 0, left)] as const,
  )
  return { unread: new Map(unread), lasts }
}

function isShown({ head, ranges }: Listed): boolean {
  return !head.change && clipped(ranges, { fromSeq: head.seq, toSeq: head.seq }).length > 0
}

function countAsked(
  user: UserId,
  window: Window,
  { begins, head }: { begins: Begins; head: Message | undefined },
): { count: CountAsked; left: number } {
  const { conversation, fromSeq, toSeq } = window
  const times = begins.times.get(conversation)
  const left = uncounted(user, window, begins.changes.get(conversation) ?? [])
  const toTime = times?.get(toSeq) ?? head?.at ?? 0
  // What is stored no more was the oldest: what is left of the window begins the conversation.
  return { count: { conversation, fromTime: times?.get(fromSeq) ?? 0, toTime, limit: countedTo(left) }, left }
}
