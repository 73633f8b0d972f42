import type { Bound, RunResult, Violations } from '../result.ts'

/** The kinds in the order a person asks about them, with what each means. */
export const KINDS: readonly { kind: keyof Violations; name: string; meaning: string }[] = [
  { kind: 'lost', name: 'lost', meaning: 'acknowledged, and in nobody’s history' },
  {
    kind: 'undelivered',
    name: 'undelivered',
    meaning: 'acknowledged, and never shown to a receiver that was there or came back',
  },
  { kind: 'doubled', name: 'doubled', meaning: 'stored twice, or shown twice on one connection' },
  { kind: 'inversions', name: 'out of order', meaning: 'a gap in the numbers, or two readers that see another order' },
  {
    kind: 'senderInversions',
    name: 'out of its sender’s order',
    meaning: 'messages of one sender in another order than it sent them',
  },
  { kind: 'unexpected', name: 'unexpected', meaning: 'in the history, and never sent' },
  { kind: 'content', name: 'altered', meaning: 'text, sender or number differ from what was sent and acknowledged' },
  { kind: 'leaked', name: 'leaked', meaning: 'shown to somebody it was not for' },
  { kind: 'cursorsBack', name: 'moved back', meaning: 'a cursor, or a count of receipts, was seen to move back' },
  {
    kind: 'cursorsAhead',
    name: 'ahead',
    meaning: 'a cursor was shown further than its user had been shown or had read',
  },
  {
    kind: 'finalCounts',
    name: 'wrong at the end',
    meaning: 'cursors, unread or receipts differ from what everybody was shown and has read',
  },
]

/** `2 lost, 1 doubled`; empty when there is none. */
function violationsInWords(violations: Violations): string {
  return KINDS.filter(({ kind }) => violations[kind] > 0)
    .map(({ kind, name }) => `${violations[kind].toLocaleString('en')} ${name}`)
    .join(', ')
}

/** `exit code of gateway-1: 1, not 0` */
function boundInWords({ what, found, limit }: Bound): string {
  return `${what}: ${found}, not ${limit}`
}

/** Whether a run counts as passed: a clean history, and every bound held. */
export function passed({ verdict, bounds = [] }: RunResult): boolean {
  return verdict.clean && bounds.every(({ held }) => held)
}

/** Everything that makes a run fail; empty when it passed. */
export function failureInWords({ verdict, bounds = [] }: RunResult): string {
  const reasons = [violationsInWords(verdict.violations), ...bounds.filter(({ held }) => !held).map(boundInWords)]
  const text = reasons.filter((reason) => reason !== '').join('; ')
  return text === '' && !verdict.clean ? 'not clean' : text
}
