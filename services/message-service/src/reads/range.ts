import type { InputOf, OutputOf, range } from '@qunxin/contracts'
import { toMsgModel } from '../domain/present.ts'
import { fitting } from './fitting.ts'
import type { ReadPorts } from './records.ts'
import { statesOf } from './states.ts'

const RANGE_LIMIT = { messages: 1_000, bytes: 512 * 1024 }

/** A range of one conversation to mend a hole, from its begin on as far as the caps go. */
export async function readRange(
  { log, overviews }: Pick<ReadPorts, 'log' | 'overviews'>,
  input: InputOf<typeof range>,
): Promise<OutputOf<typeof range>> {
  const { conversation, fromSeq, toSeq } = input
  const [messages, states] = await Promise.all([
    log.oldest(conversation, { fromSeq, toSeq, limit: RANGE_LIMIT.messages }),
    statesOf(overviews, conversation),
  ])
  const models = messages.map((message) => toMsgModel(message, states(message)))
  return { messages: fitting(models, { bytes: RANGE_LIMIT.bytes, keep: 'first' }) }
}
