import { type GroupId, groupOf, type InputOf, type OutputOf, type range, shownTo, type UserId } from '@qunxin/contracts'
import { toMsgModel } from '../domain/present.ts'
import { fitting } from './fitting.ts'
import type { ReadPorts } from './records.ts'
import { statesOf } from './states.ts'

const RANGE_LIMIT = { messages: 1_000, bytes: 512 * 1024 }

export interface RangePorts extends Pick<ReadPorts, 'log' | 'overviews'> {
  /** Who may not read the messages of a group up to which seq; undefined when that is not known in time. */
  lateIn(group: GroupId): Promise<[UserId, number][] | undefined>
}

/** A range of one conversation to mend a hole, from its begin on as far as the caps go. */
export async function readRange(
  { log, overviews, lateIn }: RangePorts,
  input: InputOf<typeof range>,
): Promise<OutputOf<typeof range>> {
  const { conversation, fromSeq, toSeq } = input
  const [found, states] = await Promise.all([
    log.oldest(conversation, { fromSeq, toSeq, limit: RANGE_LIMIT.messages }),
    statesOf(overviews, conversation),
  ])
  const models = found.map((message) => toMsgModel(message, states(message)))
  const messages = fitting(models, { bytes: RANGE_LIMIT.bytes, keep: 'first' })
  const group = groupOf(conversation)
  const edited = messages.flatMap(({ change }) => (change?.kind === 'edit' ? [change.seq] : []))
  if (group === undefined || edited.length === 0) return { messages }
  const all = await lateIn(group)
  if (!all) return { messages: messages.map((one) => shownTo(one, () => false)) }
  const first = Math.min(...edited)
  const late = all.filter(([, seq]) => seq >= first)
  return { messages, ...(late.length > 0 && { late }) }
}
