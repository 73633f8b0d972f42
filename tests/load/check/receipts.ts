import { FOREIGN, type History } from '../history.ts'
import type { Findings } from './findings.ts'
import type { Logs } from './log.ts'
import { type Reach, reachOf } from './reach.ts'
import type { Sayer } from './say.ts'

interface Parts {
  history: History
  logs: Logs
  findings: Findings
  say: Sayer
}

/** Cursors as they were shown only ever moved forward, never past what their users had; and at the end all counts are right. */
export function checkReceipts(parts: Parts): void {
  const reach = reachOf(parts.history, parts.logs)
  checkCursors(parts, reach)
  checkTallies(parts)
  checkStandings(parts, reach)
  checkFinalReceipts(parts, reach)
}

function checkCursors({ history, findings, say }: Parts, reach: Reach): void {
  const { cursors, clients } = history
  const clientOf = new Map(clients.map(({ userId }, index) => [userId, index]))
  const last = new Map<string, { delivered: number; read: number }>()
  for (let row = 0; row < cursors.read.length; row++) {
    const [viewer, conversation] = [cursors.client.at(row), cursors.conversation.at(row)]
    const userId = cursors.userId.at(row)
    const now = { delivered: cursors.delivered.at(row), read: cursors.read.at(row) }
    const key = `${viewer}/${conversation}/${userId}`
    const before = last.get(key) ?? { delivered: 0, read: 0 }
    last.set(key, now)
    const where = () =>
      `${say.conversation(conversation)}, that of user ${userId} as ${say.client(viewer)} was shown it: ${inWords(now)}`
    if (now.delivered < before.delivered || now.read < before.read)
      findings.add('cursorsBack', () => `${where()}, behind ${inWords(before)}`)
    if (now.read > now.delivered) findings.add('cursorsAhead', () => `${where()}: read, but not delivered`)
    const whose = clientOf.get(userId)
    if (whose === undefined) continue
    const most = { delivered: reach.delivered(whose, conversation), read: reach.read(whose, conversation) }
    if (now.delivered > most.delivered || now.read > most.read)
      findings.add('cursorsAhead', () => `${where()}: it never came further than ${inWords(most)}`)
  }
}

function checkTallies({ history, findings, say }: Parts): void {
  const { tallies } = history
  const last = new Map<string, { delivered: number; read: number }>()
  for (let row = 0; row < tallies.seq.length; row++) {
    const [viewer, conversation, seq] = [tallies.client.at(row), tallies.conversation.at(row), tallies.seq.at(row)]
    const now = { delivered: tallies.delivered.at(row), read: tallies.read.at(row) }
    const key = `${viewer}/${conversation}/${seq}`
    const before = last.get(key) ?? { delivered: 0, read: 0 }
    last.set(key, now)
    const total = tallies.total.at(row)
    const where = () =>
      `${say.conversation(conversation)} seq ${seq}, as ${say.client(viewer)} was shown it: ${inWords(now)} of ${total}`
    if (now.delivered < before.delivered || now.read < before.read)
      findings.add('cursorsBack', () => `${where()}, behind ${inWords(before)}`)
    if (now.read > now.delivered || now.delivered > total) findings.add('cursorsAhead', where)
  }
}

/** What each client's list says of itself: read as far as it said, everything it was shown delivered, the rest unread. */
function checkStandings({ history, logs, findings, say }: Parts, reach: Reach): void {
  const { records, clients } = history
  for (const { client, conversation, deliveredSeq, readSeq, unread } of history.standings) {
    const { rowOf = new Map<number, number>() } = logs.of[conversation] ?? {}
    const where = () => `${say.conversation(conversation)}, in the list of ${say.client(client)}`
    const [least, most] = [reach.marked(client, conversation), reach.read(client, conversation)]
    if (readSeq < least || readSeq > most)
      findings.add(
        'finalCounts',
        () => `${where()}: readSeq ${readSeq}, not ${least}${most > least ? ` to ${most}` : ''}`,
      )
    if (deliveredSeq > reach.delivered(client, conversation))
      findings.add('finalCounts', () => `${where()}: deliveredSeq ${deliveredSeq} was never shown to it`)
    const others = [...rowOf].filter(
      ([seq, row]) => seq > readSeq && records.fromUserId.at(row) !== clients[client]?.userId,
    )
    const expected = Math.min(others.length, 999)
    if (unread !== expected) findings.add('finalCounts', () => `${where()}: ${unread} unread, not ${expected}`)
  }
}

/** The newest message of each conversation has reached everybody, and been read by those who said so. */
function checkFinalReceipts({ history, logs, findings, say }: Parts, reach: Reach): void {
  const { conversations, records, attempts, clients } = history
  for (const { conversation, seq, deliveredCount, readCount, total, readers } of history.receipts) {
    const where = () => `${say.conversation(conversation)} seq ${seq}, asked for its receipts`
    const row = logs.of[conversation]?.rowOf.get(seq)
    const attempt = row === undefined ? FOREIGN : records.attempt.at(row)
    const author = attempt < FOREIGN ? attempts.sender.at(attempt) : undefined
    const others = [...(conversations[conversation]?.members.keys() ?? [])].filter((client) => client !== author)
    const expected = others.filter((client) => reach.marked(client, conversation) >= seq)
    if (total !== others.length || deliveredCount !== others.length)
      findings.add(
        'finalCounts',
        () => `${where()}: ${deliveredCount} of ${total} had it, not ${others.length} of as many`,
      )
    const ids = expected.map((client) => clients[client]?.userId ?? 0)
    const same = readCount === ids.length && readers.length === ids.length && ids.every((id) => readers.includes(id))
    if (!same) findings.add('finalCounts', () => `${where()}: read by ${readers}, not by ${ids}`)
  }
}

const inWords = ({ delivered, read }: { delivered: number; read: number }) => `delivered ${delivered}, read ${read}`
