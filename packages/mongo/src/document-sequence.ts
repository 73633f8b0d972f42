import { createRequire } from 'node:module'

/** What is used of the driver's `lib/cmap/commands.js`, which its public interface does not show. */
interface Sequence {
  push(document: unknown, bytes: Uint8Array): number
}

const require = createRequire(import.meta.url)
const { DocumentSequence } = require('mongodb/lib/cmap/commands.js') as {
  DocumentSequence: new (field: string) => Sequence
}

/**
 * Documents that are BSON already, one behind the other, as the value of that field of a command: the driver sends them as
 * they are, in a section of their own.
 */
export function documentSequence(field: string, documents: Uint8Array): unknown {
  const sequence = new DocumentSequence(field)
  sequence.push(undefined, documents)
  return sequence
}
