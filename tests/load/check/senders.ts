import { FOREIGN, type History, outcomes } from '../history.ts'
import type { Findings } from './findings.ts'
import type { Logs } from './log.ts'
import type { Sayer } from './say.ts'

/**
 * A sender's messages stand in the order it sent them: it sends again from the first that was not acknowledged, in the same order
 * (protocol §4.3). One that was given up without an answer may stand anywhere.
 */
export function checkSenders(parts: { history: History; logs: Logs; findings: Findings; say: Sayer }): void {
  const { history, logs, findings, say } = parts
  const { records, attempts } = history
  for (const { conversation, reading } of logs.of) {
    if (!reading) continue
    const newest = new Map<number, number>()
    for (let row = reading.from; row < reading.to; row++) {
      const attempt = records.attempt.at(row)
      if (attempt >= FOREIGN || attempts.outcome.at(attempt) !== outcomes.acknowledged) continue
      if (logs.storedAt(attempt) !== row) continue
      const sender = attempts.sender.at(attempt)
      const before = newest.get(sender)
      if (before === undefined || before < attempt) newest.set(sender, attempt)
      else if (before > attempt)
        findings.add(
          'senderInversions',
          () =>
            `${say.record(row, conversation)}: ${say.client(sender)} sent it before msgId ${history.msgId(before)}, which stands at seq ${attempts.seq.at(before)}`,
        )
    }
  }
}
