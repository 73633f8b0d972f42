import { FOREIGN, type History, outcomes } from '../history.ts'
import type { Findings } from './findings.ts'
import type { Log, Logs } from './log.ts'
import type { Sayer } from './say.ts'

interface Parts {
  history: History
  logs: Logs
  findings: Findings
  say: Sayer
}

/** What was stored: everything acknowledged, nothing else but what may have been, once, without a hole, as it was sent. */
export function checkStored(parts: Parts): void {
  for (const log of parts.logs.of) checkLog(log, parts)
  checkAcknowledged(parts)
}

function checkLog({ conversation, reading }: Log, { history, logs, findings, say }: Parts): void {
  if (!reading) return
  const { records, attempts, clients } = history
  for (let row = reading.from; row < reading.to; row++) {
    const [seq, attempt] = [records.seq.at(row), records.attempt.at(row)]
    const where = () => `${say.record(row, conversation)}, as ${say.client(reading.client)} read it`
    const expected = row === reading.from ? 1 : records.seq.at(row - 1) + 1
    if (seq !== expected) findings.add('inversions', () => `${where()}: ${expected} was to come`)
    if (row > reading.from && records.serverAt.at(row) <= records.serverAt.at(row - 1))
      findings.add('content', () => `${where()}: its timestamp is not after that of the message before`)
    if (attempt >= FOREIGN) {
      findings.add('unexpected', () => `${where()}: nobody sent it`)
      continue
    }
    if (attempts.conversation.at(attempt) !== conversation)
      findings.add(
        'unexpected',
        () => `${where()}: it was sent to ${say.conversation(attempts.conversation.at(attempt))}`,
      )
    if (attempts.outcome.at(attempt) === outcomes.refused)
      findings.add('unexpected', () => `${where()}: it was refused for good`)
    const first = logs.storedAt(attempt)
    if (first !== row) findings.add('doubled', () => `${where()}: it stands at seq ${records.seq.at(first ?? row)} too`)
    if (records.hash.at(row) !== attempts.hash.at(attempt))
      findings.add('content', () => `${where()}: the text is not what ${say.client(attempts.sender.at(attempt))} sent`)
    const sender = clients[attempts.sender.at(attempt)]?.userId
    if (records.fromUserId.at(row) !== sender)
      findings.add('content', () => `${where()}: it is said to be from ${records.fromUserId.at(row)}, not ${sender}`)
  }
}

function checkAcknowledged({ history, logs, findings, say }: Parts): void {
  const { attempts, records } = history
  for (const { attempt, text } of history.contradicted)
    findings.add('content', () => `${say.attempt(attempt)}: acknowledged as ${text}`)
  for (let attempt = 0; attempt < attempts.sender.length; attempt++) {
    if (attempts.outcome.at(attempt) !== outcomes.acknowledged) continue
    const row = logs.storedAt(attempt)
    if (row === undefined) {
      findings.add('lost', () => `${say.attempt(attempt)}: acknowledged, and not in the history`)
    } else if (
      records.seq.at(row) !== attempts.seq.at(attempt) ||
      records.serverAt.at(row) !== attempts.serverAt.at(attempt)
    ) {
      const stored = `seq ${records.seq.at(row)} at ${records.serverAt.at(row)}`
      findings.add(
        'content',
        () => `${say.attempt(attempt)} at ${attempts.serverAt.at(attempt)}: it is stored as ${stored}`,
      )
    }
  }
}

/** Every other reading must show what the longest shows, and a whole one everything that was acknowledged. */
export function checkReaders({ history, logs, findings, say }: Parts): void {
  const { readings, records, attempts } = history
  for (const reading of readings) {
    const { conversation, client, whole, from, to } = reading
    const log = logs.of[conversation]
    if (!log || log.reading === reading) continue
    const reader = say.client(client)
    for (let row = from; row < to; row++) {
      const where = () => `${say.record(row, conversation)}, as ${reader} read it`
      const expected = row > from ? records.seq.at(row - 1) + 1 : whole ? 1 : records.seq.at(row)
      if (records.seq.at(row) !== expected) findings.add('inversions', () => `${where()}: ${expected} was to come`)
      const same = log.rowOf.get(records.seq.at(row))
      if (same === undefined) findings.add('inversions', () => `${where()}: others have nothing there`)
      else if (records.attempt.at(same) !== records.attempt.at(row))
        findings.add(
          'inversions',
          () => `${where()}: others have msgId ${history.msgId(records.attempt.at(same))} there`,
        )
      else if (
        records.hash.at(same) !== records.hash.at(row) ||
        records.fromUserId.at(same) !== records.fromUserId.at(row) ||
        records.serverAt.at(same) !== records.serverAt.at(row)
      )
        findings.add('content', () => `${where()}: others read another text, sender or timestamp`)
    }
    if (!whole || !log.reading) continue
    // Readings are made one after the other: what had no outcome may come to light between two of them, at the end.
    const last = to > from ? records.seq.at(to - 1) : 0
    for (let row = log.reading.from; row < log.reading.to; row++) {
      const attempt = records.attempt.at(row)
      if (records.seq.at(row) <= last || attempt >= FOREIGN) continue
      if (attempts.outcome.at(attempt) === outcomes.acknowledged)
        findings.add('lost', () => `${say.record(row, conversation)}: acknowledged, and not in what ${reader} read`)
    }
  }
}
