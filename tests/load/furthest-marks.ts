import type { History } from './history.ts'

/** The furthest a client said it had read in a conversation; 0 when it never did. */
export type FurthestMarks = (client: number, conversation: number) => number

export function furthestMarks({ marks, conversations }: History): FurthestMarks {
  const keyOf = (client: number, conversation: number) => client * conversations.length + conversation
  const furthest = new Map<number, number>()
  for (let row = 0; row < marks.seq.length; row++) {
    const key = keyOf(marks.client.at(row), marks.conversation.at(row))
    furthest.set(key, Math.max(furthest.get(key) ?? 0, marks.seq.at(row)))
  }
  return (client, conversation) => furthest.get(keyOf(client, conversation)) ?? 0
}
