import { setTimeout as delay } from 'node:timers/promises'
import { AppError, withinTime } from '@qunxin/runtime'
import { type ClientSession, type MongoClient, MongoError, MongoErrorLabel, type TransactionOptions } from 'mongodb'
import { isDuplicateKey } from './faults.ts'

/** Short, as whoever holds the document is done in a few milliseconds: a long one would leave it to the busier process. */
const LONGEST_PAUSE_MS = 16
const COMMIT_PAUSE_MS = 50
/** Times the limit: an attempt begun within it may take as long again. */
const GIVEN_UP_AFTER = 2
const options: TransactionOptions = {
  readConcern: { level: 'snapshot' },
  writeConcern: { w: 'majority', journal: true },
  readPreference: 'primary',
}

/**
 * Runs `work` in one transaction that reads a snapshot and commits to a journalled majority. It runs again when another
 * transaction changed the same documents, or put the same key in first: then the next snapshot shows what that one did.
 *
 * @throws AppError UNAVAILABLE when it did not get through within `limitMs`
 */
export function inTransaction<T>(
  client: MongoClient,
  limitMs: number,
  work: (session: ClientSession) => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + limitMs
  const transaction = client.withSession(async (session) => {
    for (let attempt = 0; ; attempt++) {
      session.startTransaction(options)
      try {
        const result = await work(session)
        await commit(session, deadline)
        return result
      } catch (error) {
        if (session.inTransaction()) await session.abortTransaction()
        if (!hasLabel(error, MongoErrorLabel.TransientTransactionError) && !isDuplicateKey(error)) throw error
        if (performance.now() > deadline) throw new AppError('UNAVAILABLE', { cause: error })
        await delay(Math.random() * Math.min(2 ** attempt, LONGEST_PAUSE_MS))
      }
    }
  })
  // On a connection that falls silent each command takes as long as the driver's socket timeout.
  return withinTime(limitMs * GIVEN_UP_AFTER, transaction)
}

/** A commit whose outcome is unknown is sent again: it takes effect once. */
async function commit(session: ClientSession, deadline: number): Promise<void> {
  for (;;) {
    try {
      return await session.commitTransaction()
    } catch (error) {
      if (!hasLabel(error, MongoErrorLabel.UnknownTransactionCommitResult) || performance.now() > deadline) throw error
      await delay(COMMIT_PAUSE_MS)
    }
  }
}

function hasLabel(error: unknown, label: string): boolean {
  return error instanceof MongoError && error.hasErrorLabel(label)
}
