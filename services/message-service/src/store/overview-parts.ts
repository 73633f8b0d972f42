import { type ConversationId, groupOf, pairOf, type UserId } from '@qunxin/contracts'
import type { Document } from 'mongodb'
import type { Window } from '../domain/unread.ts'
import type { SeqRange } from '../domain/visibility.ts'
import { idOf, SEQ_DIGITS } from './message-document.ts'
import type { CountAsked, Place, TimePoint } from './overviews.ts'

/** One part of an answer; `hint` is needed where it stands first. A part that asks for nothing is left out. */
export interface Part {
  /** Left out when the documents come with the pipeline. */
  coll?: string
  pipeline: Document[]
  hint?: Document
}

/** Of recalls and edits only, by seq: what stands behind a cursor without being a message. */
export const CHANGES_INDEX = { conversation: 1, _id: 1 } as const
export const IS_CHANGE = { 'change.seq': { $exists: true } } as const

/** How many of a member's times in a group, the newest first, a last message is looked for in. */
const RANGES_LOOKED_AT = 20
/** Personal conversations whose cursors are looked for in one range of users and conversations. */
const PAIRS_TOGETHER = 10

/** Covered by (user, lastAt, conversation). */
export function rowsByTime(user: UserId, after: Place | undefined, limit: number): Part {
  const behind = after && {
    lastAt: { $lte: after.at },
    $or: [{ lastAt: { $lt: after.at } }, { conversation: { $gt: after.conversation } }],
  }
  return {
    coll: 'conversations',
    pipeline: [
      { $match: { user, ...behind } },
      { $sort: { lastAt: -1, conversation: 1 } },
      { $limit: limit },
      { $project: { _id: 0, place: '$conversation', at: '$lastAt' } },
    ],
  }
}

/** Covered by `_id`, which is `<user>/<conversation>`; a personal conversation's id begins with p. */
export function rowsById(user: UserId, after: string, limit: number): Part {
  return {
    coll: 'conversations',
    pipeline: [
      { $match: { _id: { $gt: `${user}/${after < 'p' ? 'p' : after}`, $lt: `${user}/q` } } },
      { $sort: { _id: 1 } },
      { $limit: limit },
      { $project: { _id: 0, begun: '$_id' } },
    ],
  }
}

/** One key each, by a DISTINCT_SCAN of (conversation, at, from). */
function newestOf(conversations: readonly ConversationId[], fields: Document): Document[] {
  return [
    { $match: { conversation: { $in: [...conversations] } } },
    { $sort: { conversation: -1, at: -1 } },
    { $group: { _id: '$conversation', ...fields } },
  ]
}

export function groupTimes(groups: readonly ConversationId[]): Part[] {
  if (groups.length === 0) return []
  const newest = newestOf(groups, { at: { $first: '$at' } })
  return [{ coll: 'messages', pipeline: [...newest, { $project: { _id: 0, groupPlace: '$_id', at: 1 } }] }]
}

export function headSeqs(conversations: readonly ConversationId[]): Part[] {
  if (conversations.length === 0) return []
  const newest = newestOf(conversations, { headId: { $first: '$_id' } })
  return [{ coll: 'messages', pipeline: [...newest, { $project: { _id: 0, headId: 1 } }] }]
}

export function headEntries(conversations: readonly ConversationId[]): Part[] {
  if (conversations.length === 0) return []
  const newest = newestOf(conversations, { head: { $first: '$$ROOT' } })
  return [{ coll: 'messages', pipeline: [...newest, { $project: { _id: 0, head: 1 } }] }]
}

/** Of personal conversations both users' cursors, of groups those of `user`, if there is one. */
export function cursors(conversations: readonly ConversationId[], user?: UserId): Part[] {
  const personal = conversations.filter((one) => groupOf(one) === undefined)
  const groups = conversations.filter((one) => groupOf(one) !== undefined)
  const shown = {
    $project: {
      _id: 0,
      cursor: { user: '$user', conversation: '$conversation', deliveredSeq: '$deliveredSeq', readSeq: '$readSeq' },
    },
  }
  const of = (filter: Document): Part => ({ coll: 'cursors', pipeline: [{ $match: filter }, shown] })
  return [
    ...(personal.length > 0 ? [of({ $or: ofPairs(personal) })] : []),
    ...(groups.length > 0 && user !== undefined ? [of({ user, conversation: { $in: groups } })] : []),
  ]
}

/**
 * By (user, conversation). A few at a time: where everybody talks to everybody each user of a range has keys of their own between
 * all those asked for, so that a range of 500 would go through the square of them.
 */
function ofPairs(personal: readonly ConversationId[]): Document[] {
  const ranges: Document[] = []
  for (let at = 0; at < personal.length; at += PAIRS_TOGETHER) {
    const some = personal.slice(at, at + PAIRS_TOGETHER)
    const users = new Set(some.flatMap((one) => pairOf(one) ?? []))
    ranges.push({ user: { $in: [...users] }, conversation: { $in: some } })
  }
  return ranges
}

export function floors(conversations: readonly ConversationId[]): Part[] {
  const groups = conversations.filter((one) => groupOf(one) !== undefined)
  if (groups.length === 0) return []
  const shown = { $project: { _id: 0, floor: '$_id', delivered: 1, read: 1 } }
  return [{ coll: 'floors', pipeline: [{ $match: { _id: { $in: groups } } }, shown] }]
}

export function muted(user: UserId, conversations: readonly ConversationId[]): Part[] {
  if (conversations.length === 0) return []
  const ids = conversations.map((conversation) => `${user}/${conversation}`)
  const shown = { $project: { _id: 0, muted: '$conversation' } }
  return [{ coll: 'preferences', pipeline: [{ $match: { _id: { $in: ids }, muted: true } }, shown] }]
}

/** By `$lookup`: there may be more than a pipeline has stages. */
export function seqsAt(points: readonly TimePoint[]): Part[] {
  if (points.length === 0) return []
  const newest = [
    { $match: { $expr: { $and: [{ $eq: ['$conversation', '$$conversation'] }, { $lte: ['$at', '$$time'] }] } } },
    { $sort: { conversation: -1, at: -1 } },
    { $limit: 1 },
    { $project: { _id: 1 } },
  ]
  return [
    {
      pipeline: [
        { $documents: points.map(({ conversation, time }, point) => ({ conversation, time, point })) },
        lookUp(['conversation', 'time'], newest),
        { $unwind: '$found' },
        { $project: { _id: 0, point: 1, seq: '$found._id' } },
      ],
    },
  ]
}

export function changes(windows: readonly Window[]): Part[] {
  if (windows.length === 0) return []
  const ranges = windows.map(({ conversation, fromSeq, toSeq }) => ({
    conversation,
    _id: { $gte: idOf(conversation, fromSeq), $lte: idOf(conversation, toSeq) },
    ...IS_CHANGE,
  }))
  const change = {
    id: '$_id',
    conversation: '$conversation',
    from: '$from',
    change: { kind: '$change.kind', seq: '$change.seq' },
  }
  return [
    {
      coll: 'messages',
      pipeline: [{ $match: { $or: ranges } }, { $project: { _id: 0, change } }],
      hint: CHANGES_INDEX,
    },
  ]
}

export function bounds(windows: readonly Window[]): Part[] {
  if (windows.length === 0) return []
  const ids = windows.flatMap(({ conversation, fromSeq, toSeq }) => [
    idOf(conversation, fromSeq),
    idOf(conversation, toSeq),
  ])
  const shown = { $project: { _id: 0, bound: '$_id', at: 1 } }
  return [{ coll: 'messages', pipeline: [{ $match: { _id: { $in: ids } } }, shown] }]
}

export function lasts(asked: readonly { conversation: ConversationId; ranges: readonly SeqRange[] }[]): Part[] {
  const ranges = asked.flatMap(({ conversation, ranges }) =>
    ranges
      .slice(-RANGES_LOOKED_AT)
      .map(({ fromSeq, toSeq }) => ({ from: idOf(conversation, fromSeq), to: lastId(conversation, toSeq) })),
  )
  if (ranges.length === 0) return []
  const newest = [
    {
      $match: {
        $expr: { $and: [{ $gte: ['$_id', '$$from'] }, { $lte: ['$_id', '$$to'] }] },
        change: { $exists: false },
      },
    },
    { $sort: { _id: -1 } },
    { $limit: 1 },
  ]
  return [
    {
      pipeline: [
        { $documents: ranges },
        lookUp(['from', 'to'], newest),
        { $unwind: '$found' },
        { $project: { _id: 0, last: '$found' } },
      ],
    },
  ]
}

/** At most one document for each row, as `found`; the pipeline knows these fields of the row as variables. */
function lookUp(fields: readonly string[], pipeline: Document[]): Document {
  const variables = Object.fromEntries(fields.map((field) => [field, `$${field}`]))
  return { $lookup: { from: 'messages', let: variables, pipeline, as: 'found' } }
}

/** Covered by (conversation, at, from): times rise with seqs, so they bound a window. */
export function countOfOthers(user: UserId, { conversation, fromTime, toTime, limit }: CountAsked): Part {
  return {
    coll: 'messages',
    pipeline: [
      { $match: { conversation, at: { $gte: fromTime, $lte: toTime }, from: { $ne: user } } },
      { $limit: limit },
      { $count: 'n' },
      { $project: { counted: { $literal: conversation }, n: 1 } },
    ],
  }
}

function lastId(conversation: ConversationId, toSeq: number | undefined): string {
  return toSeq === undefined ? `${conversation}:${'9'.repeat(SEQ_DIGITS)}` : idOf(conversation, toSeq)
}
