import type { History } from '../history.ts'

/** How an example names things: `p1-2 seq 7, msgId x, of client 1`. */
export function sayer(history: History) {
  const { clients, conversations, attempts, records, shown, connections } = history
  const client = (index: number) => `client ${clients[index]?.userId}`
  const conversation = (index: number) => conversations[index]?.id ?? 'an unknown conversation'
  const message = (where: number, seq: number, attempt: number) =>
    `${conversation(where)} seq ${seq}, msgId ${history.msgId(attempt)}`
  return {
    client,
    conversation,
    message,
    attempt: (index: number) =>
      `${message(attempts.conversation.at(index), attempts.seq.at(index), index)}, of ${client(attempts.sender.at(index))}`,
    record: (row: number, where: number) => message(where, records.seq.at(row), records.attempt.at(row)),
    /** `client 2 (connection 3)` */
    connection: (index: number) =>
      `${client(connections.client.at(index))} (connection ${connections.number.at(index)})`,
    shown: (row: number) => message(shown.conversation.at(row), shown.seq.at(row), shown.attempt.at(row)),
  }
}

export type Sayer = ReturnType<typeof sayer>
