import {
  type ConversationEntry,
  type ConversationId,
  type conversationList,
  groupConversation,
  type InputOf,
  nameFor,
  type OutputOf,
  type UserId,
} from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import { AT_START, type Cursor, sinceJoining, toMsgModel } from '../domain/present.ts'
import type { Membership, MembershipSource } from '../membership/source.ts'
import { byPlace, type Details, type Overviews, type Place } from '../store/overviews.ts'
import { readAsMember } from './as-member.ts'
import { fittingCount } from './fitting.ts'
import { statesBy } from './states.ts'
import { countUnread, type Listed } from './unread.ts'
import { pointsOf, visibleRanges } from './visible-ranges.ts'

/** Of 256 KiB the rest is for what stands around the list. */
const PAGE = { conversations: 50, bytes: 255 * 1024 }

export interface OverviewPorts {
  overviews: Overviews
  membership: Pick<MembershipSource, 'groupsOf'>
}

/**
 * §5: the user's conversations that have messages, the newest first, in pages. Personal ones stand where a hint puts them that
 * lags some seconds behind, groups exactly; within a page the order is exact. Four commands of MongoDB at most (ADR 0019).
 *
 * @throws AppError BAD_REQUEST when `after` is none that was given
 */
export async function listConversations(
  { overviews, membership }: OverviewPorts,
  user: UserId,
  input: InputOf<typeof conversationList>,
): Promise<OutputOf<typeof conversationList>> {
  const after = placeOf(input.after)
  const [, { places, page, details, cursorOf, rangesOf }] = await readAsMember(
    () => membership.groupsOf(user),
    (memberships) => pageOf(overviews, user, { memberships, after }),
  )
  const listed = page.flatMap(({ conversation }): Listed[] => {
    const head = details.heads.get(conversation)
    return head ? [{ conversation, head, cursor: cursorOf(conversation), ranges: rangesOf(conversation) }] : []
  })
  const { unread, lasts } = await countUnread(overviews, user, listed)
  const stateOf = statesBy(details)
  const entries = listed.map(({ conversation, head, cursor }): ConversationEntry => {
    const last = lasts.get(conversation)
    return {
      ...nameFor(conversation, user),
      lastSeq: head.seq,
      ...(last && { lastMessage: toMsgModel(last, stateOf(last)) }),
      ...cursor,
      unread: unread.get(conversation) ?? 0,
      ...(details.muted.has(conversation) && { muted: true as const }),
    }
  })
  const count = fittingCount(entries, PAGE.bytes)
  const kept = entries.slice(0, count)
  // What the bytes cut off comes with the next page; a page of rows without messages has a next one all the same.
  const cut =
    count < entries.length
      ? page.find(({ conversation }) => conversation === listed[count - 1]?.conversation)
      : undefined
  const last = cut ?? (places.length > page.length ? page.at(-1) : undefined)
  const at = (entry: ConversationEntry) => entry.lastMessage?.serverReceiveDate ?? 0
  return {
    conversations: kept.sort((one, other) => at(other) - at(one)),
    ...(last && { next: `${last.at}.${last.conversation}` }),
  }
}

/** The conversations of one page with their newest entries, and what of them the user may read. */
async function pageOf(
  overviews: Overviews,
  user: UserId,
  { memberships, after }: { memberships: readonly Membership[]; after: Place | undefined },
) {
  const byGroup = new Map(memberships.map((one) => [groupConversation(one.groupId), one] as const))
  const points = pointsOf(memberships)
  const limit = PAGE.conversations + 1
  const found = await overviews.places(user, { after, limit, groups: [...byGroup.keys()], points })
  const groups = found.groups.filter((place) => after === undefined || byPlace(after, place) < 0)
  const places = [...found.personal, ...groups].sort(byPlace)
  const page = places.slice(0, PAGE.conversations)
  const rangesOf = visibleRanges(memberships, { points, seqs: found.seqs })
  return { places, page, rangesOf, ...(await detailsOf(overviews, user, { page, byGroup })) }
}

async function detailsOf(
  overviews: Overviews,
  user: UserId,
  { page, byGroup }: { page: readonly Place[]; byGroup: ReadonlyMap<ConversationId, Membership> },
): Promise<{ details: Details; cursorOf(conversation: ConversationId): Cursor }> {
  const conversations = page.map(({ conversation }) => conversation)
  // Who joined when the newest seq could not be told has read what was there at that time.
  const unknown = conversations.flatMap((conversation) => {
    const membership = byGroup.get(conversation)
    return membership && membership.joinedSeq === undefined ? [{ conversation, time: membership.joinedAt }] : []
  })
  const details = await overviews.details(user, { conversations, points: unknown })
  const joined = new Map(unknown.map(({ conversation }, index) => [conversation, details.seqs[index] ?? 0]))
  const cursorOf = (conversation: ConversationId): Cursor => {
    const joinedSeq = byGroup.get(conversation)?.joinedSeq ?? joined.get(conversation) ?? 0
    return sinceJoining(details.cursors.get(conversation)?.get(user) ?? AT_START, joinedSeq)
  }
  return { details, cursorOf }
}

function placeOf(after: string | undefined): Place | undefined {
  if (after === undefined) return undefined
  const [, at, conversation] = /^(\d{1,16})\.((?:g\d{1,20})|(?:p\d{1,16}-\d{1,16}))$/.exec(after) ?? []
  if (at === undefined || conversation === undefined) throw new AppError('BAD_REQUEST', { details: { field: 'after' } })
  return { at: Number(at), conversation }
}
