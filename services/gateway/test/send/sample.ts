import type { NewSend } from '../../src/calls/send-call.ts'

/** A message of 1 to 2 on the connection c1, changed as asked. */
export function send(msgId: string, changed: Partial<Omit<NewSend, 'id'>> = {}): NewSend {
  return { id: 0, conn: 'c1', conversation: 'p1-2', from: '1', to: '2', msgId, type: 1, text: 'x', ...changed }
}
