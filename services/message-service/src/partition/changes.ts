import type { Message } from '../domain/message.ts'
import { type Outcome, repeatedBy } from './pending.ts'

/**
 * Does what the recalls and edits of a commit say, stored now or before, so that nobody is told of a change that is not done.
 * A repeat is one whose answer was lost, with what should have followed it perhaps. An edit that turns out to be of a message
 * that was taken back goes on without its text.
 */
export async function applyChanges(
  outcomes: readonly Outcome[],
  apply: (changes: readonly Message[]) => Promise<Message[]>,
): Promise<void> {
  if (!outcomes.some(isChange)) return
  const changing = outcomes.filter(isChange)
  const applied = await apply(changing.map((one) => (one.kind === 'stored' ? one.message : repeatedBy(one))))
  for (const [index, outcome] of changing.entries()) {
    const change = applied[index]
    if (!change?.recalled) continue
    if (outcome.kind === 'stored') outcome.message = change
    else outcome.original = { ...outcome.original, recalled: true }
  }
}

function isChange(outcome: Outcome): outcome is Outcome & { kind: 'stored' | 'duplicate' } {
  return outcome.pending.send.change !== undefined && outcome.kind !== 'refused'
}
