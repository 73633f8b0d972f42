import { FOREIGN, type History } from '../history.ts'
import type { Findings } from './findings.ts'
import type { Logs } from './log.ts'
import type { Sayer } from './say.ts'
import { SeqSet } from './seq-set.ts'

/** A change of membership is in force when it is answered, at the very latest so much after (protocol §4.4). */
const IN_FORCE_MS = 200

interface Parts {
  history: History
  logs: Logs
  findings: Findings
  say: Sayer
}

/** What each connection was shown: a conversation in the order of seq, each once, as it is stored, and to its members only. */
export function checkShown(parts: Parts): void {
  const { history, findings, say } = parts
  const { shown, conversations } = history
  const lanes = new Map<number, { last: number; seqs: SeqSet }>()
  for (let row = 0; row < shown.seq.length; row++) {
    const seq = shown.seq.at(row)
    const key = shown.connection.at(row) * conversations.length + shown.conversation.at(row)
    const lane = lanes.get(key)
    const where = () => `${say.shown(row)}, to ${say.connection(shown.connection.at(row))}`
    if (!lane) {
      const seqs = new SeqSet()
      seqs.add(seq)
      lanes.set(key, { last: seq, seqs })
    } else if (!lane.seqs.add(seq)) findings.add('doubled', () => `${where()}: it was shown there before`)
    else if (seq < lane.last) findings.add('inversions', () => `${where()}: behind seq ${lane.last}`)
    else lane.last = seq
    checkContent(row, where, parts)
    checkReceiver(row, where, parts)
  }
}

function checkContent(row: number, where: () => string, { history, logs, findings }: Parts): void {
  const { shown, attempts, records, clients } = history
  const attempt = shown.attempt.at(row)
  const stored = attempt < FOREIGN ? logs.storedAt(attempt) : undefined
  if (stored === undefined) {
    findings.add('unexpected', () => `${where()}: ${attempt < FOREIGN ? 'it is not in the history' : 'nobody sent it'}`)
    return
  }
  const sender = clients[attempts.sender.at(attempt)]?.userId
  const differs = [
    shown.hash.at(row) !== attempts.hash.at(attempt) && 'text',
    shown.fromUserId.at(row) !== sender && 'sender',
    shown.conversation.at(row) !== attempts.conversation.at(attempt) && 'conversation',
    shown.seq.at(row) !== records.seq.at(stored) && `seq (it is stored as ${records.seq.at(stored)})`,
    shown.serverAt.at(row) !== records.serverAt.at(stored) && 'timestamp',
  ].filter(Boolean)
  if (differs.length > 0) findings.add('content', () => `${where()}: another ${differs.join(', ')}`)
}

function checkReceiver(row: number, where: () => string, { history, findings }: Parts): void {
  const { shown, conversations, connections, attempts } = history
  const connection = shown.connection.at(row)
  const client = connections.client.at(connection)
  const membership = conversations[shown.conversation.at(row)]?.members.get(client)
  if (!membership) findings.add('leaked', () => `${where()}: it is not in the conversation`)
  else if (shown.serverAt.at(row) > membership.until + IN_FORCE_MS)
    findings.add('leaked', () => `${where()}: it had left at ${membership.until}, before ${shown.serverAt.at(row)}`)
  const attempt = shown.attempt.at(row)
  // Whose first connection it is has sent it on this one; later ones are the sender's other devices.
  if (attempt < FOREIGN && attempts.sender.at(attempt) === client && connections.number.at(connection) === 1)
    findings.add('leaked', () => `${where()}: it was sent on that connection`)
}
