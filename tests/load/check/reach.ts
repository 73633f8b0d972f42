import { type FurthestMarks, furthestMarks } from '../furthest-marks.ts'
import { FOREIGN, type History } from '../history.ts'
import type { Logs } from './log.ts'

/** How far each user can be in each conversation, going by what it said, was shown and sent itself. */
export interface Reach {
  marked: FurthestMarks
  /** That, taken along by what it sent itself right behind. */
  read(client: number, conversation: number): number
  /** What it was shown or has read, taken along likewise. */
  delivered(client: number, conversation: number): number
}

export function reachOf(history: History, logs: Logs): Reach {
  const { shown, connections, conversations, records, attempts } = history
  const keyOf = (client: number, conversation: number) => client * conversations.length + conversation
  const marked = furthestMarks(history)
  const seen = new Map<number, number>()
  for (let row = 0; row < shown.seq.length; row++) {
    const key = keyOf(connections.client.at(shown.connection.at(row)), shown.conversation.at(row))
    seen.set(key, Math.max(seen.get(key) ?? 0, shown.seq.at(row)))
  }
  const senderAt = (conversation: number, seq: number) => {
    const row = logs.of[conversation]?.rowOf.get(seq)
    const attempt = row === undefined ? FOREIGN : records.attempt.at(row)
    return attempt < FOREIGN ? attempts.sender.at(attempt) : undefined
  }
  const takenAlong = (client: number, conversation: number, from: number) => {
    let seq = from
    while (senderAt(conversation, seq + 1) === client) seq += 1
    return seq
  }
  return {
    marked,
    read: (client, conversation) => takenAlong(client, conversation, marked(client, conversation)),
    delivered(client, conversation) {
      const had = Math.max(seen.get(keyOf(client, conversation)) ?? 0, marked(client, conversation))
      return takenAlong(client, conversation, had)
    },
  }
}
