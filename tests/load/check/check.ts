import { type History, outcomes } from '../history.ts'
import type { Verdict } from '../result.ts'
import { Delivery } from './delivery.ts'
import { Findings } from './findings.ts'
import { logsOf } from './log.ts'
import { checkReceipts } from './receipts.ts'
import { sayer } from './say.ts'
import { checkSenders } from './senders.ts'
import { checkShown } from './shown.ts'
import { checkReaders, checkStored } from './stored.ts'

/** Judges a run by what its clients did and saw, in the manner of Jepsen. Whatever had no outcome may be stored or not. */
export function check(history: History): Verdict {
  const findings = new Findings()
  const parts = { history, logs: logsOf(history), findings, say: sayer(history) }
  checkStored(parts)
  checkReaders(parts)
  checkSenders(parts)
  checkShown(parts)
  checkReceipts(parts)
  for (const { attempt, client } of new Delivery(history).all())
    findings.add('undelivered', () => `${parts.say.attempt(attempt)}: ${parts.say.client(client)} was never shown it`)
  const { attempts, shown } = history
  let acknowledged = 0
  for (let attempt = 0; attempt < attempts.sender.length; attempt++)
    if (attempts.outcome.at(attempt) === outcomes.acknowledged) acknowledged += 1
  return {
    clean: findings.clean,
    checked: { acknowledged, stored: parts.logs.stored, shown: shown.seq.length },
    violations: findings.violations,
    examples: findings.examples,
  }
}
