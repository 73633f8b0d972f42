import { AppError } from '@qunxin/runtime'
import type { ClientSession, MongoClient } from 'mongodb'
import { isDuplicateKey } from './faults.ts'

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
  return client.withSession((session) => untilCommitted(session, deadline, work))
}

async function untilCommitted<T>(
  session: ClientSession,
  deadline: number,
  work: (session: ClientSession) => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await session.withTransaction(
        () => {
          if (performance.now() > deadline) throw new AppError('UNAVAILABLE')
          return work(session)
        },
        {
          readConcern: { level: 'snapshot' },
          writeConcern: { w: 'majority', journal: true },
          readPreference: 'primary',
        },
      )
    } catch (error) {
      if (!isDuplicateKey(error) || performance.now() > deadline) throw error
    }
  }
}
