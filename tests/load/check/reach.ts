import { FOREIGN, type History } from '../history.ts'
import type { Logs } from './log.ts'

/** How far each user can be in each conversation, going by what it said, was shown and sent itself. */
export interface Reach {
  /** The furthest a client said it had read; 0 when it never did. */
  marked(client: number, conversation: number): number
  /** That, taken along by what it sent itself right behind. */
  read(client: number, conversation: number): number
  /** What it was shown or has read, taken along likewise. */
  delivered(client: number, conversation: number): number
}

export function reachOf(history: History, logs: Logs): Reach {
  const { marks, shown, connections, conversations, records, attempts } = history
  const keyOf = (client: number, conversation: number) => client * conversations.length + conversation
  const marked = new Map<number, number>()
  const seen = new Map<number, number>()
  const raise = (map: Map<number, number>, key: number, seq: number) => map.set(key, Math.max(map.get(key) ?? 0, seq))
  for (let row = 0; row < marks.seq.length; row++)
    raise(marked, keyOf(marks.client.at(row), marks.conversation.at(row)), marks.seq.at(row))
  for (let row = 0; row < shown.seq.length; row++) {
    const client = connections.client.at(shown.connection.at(row))
    raise(seen, keyOf(client, shown.conversation.at(row)), shown.seq.at(row))
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
  const markedBy = (client: number, conversation: number) => marked.get(keyOf(client, conversation)) ?? 0
  return {
    marked: markedBy,
    read: (client, conversation) => takenAlong(client, conversation, markedBy(client, conversation)),
    delivered(client, conversation) {
      const had = Math.max(seen.get(keyOf(client, conversation)) ?? 0, markedBy(client, conversation))
      return takenAlong(client, conversation, had)
    },
  }
}
