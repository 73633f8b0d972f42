import type { MsgModel } from '@qunxin/contracts'
import type { FakeConnection } from './fake-gateway.ts'

/** A message of user 7 to user 42, changed. */
export function message(changed: Partial<MsgModel> & { seq: number }): MsgModel {
  return {
    fromUserId: 7,
    toUserId: 42,
    contentStr: `text ${changed.seq}`,
    serverReceiveDate: changed.seq,
    msgId: `m${changed.seq}`,
    msgContentType: 1,
    sessionId: '',
    state: 1,
    ...changed,
  }
}

/** What the client asks of `sync`, to be answered. */
export async function asked(connection: FakeConnection) {
  const { taskId, positions, newAfter } = await connection.next('sync')
  return {
    positions: positions as { sessionId: string; peerUserId: number; seq: number }[],
    newAfter,
    answer: (answer: { positions?: unknown[]; new?: unknown[]; newNext?: string }) =>
      connection.send('sync', { code: 0, taskId, result: { positions: [], new: [], ...answer } }),
    refuse: (code: number, tag = 'sync') => connection.send(tag, { code, taskId, info: '' }),
  }
}

/** Answers a client that begins: its user has no conversations yet. */
export async function noConversations(connection: FakeConnection): Promise<void> {
  const { answer } = await asked(connection)
  answer({})
}
