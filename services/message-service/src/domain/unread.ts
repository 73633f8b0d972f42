import { type ConversationId, type MessageChange, UNREAD_MOST, type UserId } from '@qunxin/contracts'

/** Entries behind one's readSeq that are looked at: only who has written thousands of them alone meets this bound. */
const LOOKED_AT = 5 * (UNREAD_MOST + 1)

/** The entries of a conversation from behind one's readSeq on, both ends included. */
export interface Window {
  conversation: ConversationId
  fromSeq: number
  toSeq: number
}

/** A recall or an edit found in a window. */
export interface ChangeEntry {
  seq: number
  from: UserId
  change: Pick<MessageChange, 'kind' | 'seq'>
}

/** Undefined when everything is read. */
export function windowBehind(conversation: ConversationId, readSeq: number, headSeq: number): Window | undefined {
  if (readSeq >= headSeq) return undefined
  return { conversation, fromSeq: readSeq + 1, toSeq: Math.min(headSeq, readSeq + LOOKED_AT) }
}

/** The newest entries behind a bounded window, as many again: what is left to count where all of that window has been removed. */
export function newestWindow({ conversation, toSeq }: Window, headSeq: number): Window | undefined {
  if (toSeq >= headSeq) return undefined
  return { conversation, fromSeq: Math.max(toSeq, headSeq - LOOKED_AT) + 1, toSeq: headSeq }
}

/**
 * How many entries of others in a window are not unread messages: recalls and edits, and the messages that were recalled. An
 * entry of another author than the user's counts; a recall is by the author of what it takes back.
 */
export function uncounted(user: UserId, { fromSeq, toSeq }: Window, changes: readonly ChangeEntry[]): number {
  const ofOthers = changes.filter(({ from, seq }) => from !== user && seq >= fromSeq && seq <= toSeq)
  const recalled = ofOthers.filter(({ change }) => change.kind === 'recall' && change.seq >= fromSeq)
  return ofOthers.length + new Set(recalled.map(({ change }) => change.seq)).size
}

/** Of a window's entries by others, counted as far as {@link countedTo}, the unread messages. */
export function unreadOf(othersEntries: number, left: number): number {
  return Math.max(0, Math.min(UNREAD_MOST, othersEntries - left))
}

/** As many entries of others decide the number, whatever comes behind them. */
export function countedTo(left: number): number {
  return UNREAD_MOST + left
}
