import { setTimeout as delay } from 'node:timers/promises'
import type { PreferenceAnswer, PreferenceChange } from '@qunxin/contracts'
import type { Fanout } from '../fanout/fanout.ts'
import type { ConversationCache } from '../partition/conversations.ts'
import type { Lane } from '../partition/lane.ts'
import type { Preferences } from '../store/preferences.ts'
import { SETTLING_MS } from './settling.ts'

export interface PreferenceChangeOptions {
  preferences: Pick<Preferences, 'change'>
  conversations: ConversationCache
  /** Resolves when everything said to us before the call has been taken. */
  caughtUp(): Promise<void>
}

export interface OwnedPlace {
  lane: Lane
  fanout: Fanout
  /** Since when we have owned the partition without a break (monotonic ms); undefined when we do not. */
  ownedSince(): number | undefined
}

/**
 * What the owner does with a change: stores it, has it in force for whatever is committed from then on, and answers when what
 * was committed before is out. Answers undefined when it may have lost the partition meanwhile: whoever asks, asks the new
 * owner (ADR 0023).
 */
export async function changePreference(
  { preferences, conversations, caughtUp }: PreferenceChangeOptions,
  change: PreferenceChange,
  { lane, fanout, ownedSince }: OwnedPlace,
): Promise<PreferenceAnswer | undefined> {
  const since = ownedSince()
  if (since === undefined) return undefined
  const row = await preferences.change(change)
  if (!row) return { done: false }
  // A conversation that is not in memory finds it in the store.
  conversations.peek(change.conversation)?.prefer(row)
  if (change.blocked === undefined) return { done: true }
  await lane.still()
  await fanout.out()
  const unsettledMs = since + SETTLING_MS - performance.now()
  if (unsettledMs > 0) await delay(unsettledMs)
  await caughtUp()
  return ownedSince() === since ? { done: true } : undefined
}
