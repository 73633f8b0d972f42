import { type ChangeStreamInsertDocument, type Db, MongoServerError, Timestamp } from 'mongodb'
import type { Message } from '../domain/message.ts'
import { type MessageDocument, toMessage } from '../store/message-document.ts'
import type { Watermark } from './watermarks.ts'

/** Times of the database are not those of its oplog to the second, and who missed a message turns out a while after it was stored. */
const MARGIN_MS = 10_000
const MESSAGES_AT_ONCE = 1_000
/** The last one comes when the oplog overtakes a reader. */
const HISTORY_LOST = new Set([280, 286, 136])
const PRECISION_MS = 1_000

export interface ReplayOptions {
  db: Db
  take(messages: readonly Message[]): Promise<void>
  /** Called when the oplog does not reach back so far, with the times (ms by the database's clock) between which nothing is read. */
  lost(from: number, until: number): void
  signal: AbortSignal
}

/** Reads from the oplog what a majority has stored from a watermark up to the place that was taken with it, in order. */
export async function replay(watermark: Watermark, options: ReplayOptions): Promise<void> {
  let from = watermark.publishedUntil - MARGIN_MS
  // Asked for once: the oplog may have forgotten the place itself before all of it is read.
  const end = await tokenAt(watermark.upTo, options.db)
  for (;;) {
    try {
      return await read(from, end, options)
    } catch (error) {
      if (!isHistoryLost(error)) throw error
      const until = await oldestThere(from, options.db)
      options.lost(from, until)
      from = until
    }
  }
}

async function read(from: number, end: string, { db, take, signal }: ReplayOptions): Promise<void> {
  const stream = open(timestamp(from), db)
  let messages: Message[] = []
  const handOn = async () => {
    const some = messages
    messages = []
    await take(some)
  }
  try {
    for (;;) {
      signal.throwIfAborted()
      const change = await stream.tryNext()
      const isOver = tokenOf(change?._id ?? stream.resumeToken) >= end
      if (!change || isOver || messages.length >= MESSAGES_AT_ONCE) await handOn()
      if (isOver) return
      if (change) messages.push(toMessage(change.fullDocument))
    }
  } finally {
    await stream.close()
  }
}

function open(from: Timestamp, db: Db) {
  return db
    .collection('messages')
    .watch<MessageDocument, ChangeStreamInsertDocument<MessageDocument>>(
      [{ $match: { operationType: 'insert' } }, { $project: { fullDocument: 1 } }],
      { startAtOperationTime: from, batchSize: MESSAGES_AT_ONCE, maxAwaitTimeMS: 500 },
    )
}

/** Resume tokens compare as their places in the oplog do. */
async function tokenAt(place: Timestamp, db: Db): Promise<string> {
  const stream = open(place, db)
  try {
    const change = await stream.tryNext()
    return tokenOf(change?._id ?? stream.resumeToken)
  } finally {
    await stream.close()
  }
}

function tokenOf(token: unknown): string {
  return (token as { _data: string })._data
}

function timestamp(time: number): Timestamp {
  return new Timestamp({ t: Math.max(1, Math.floor(time / 1_000)), i: 1 })
}

/** To the second; `lost` is not there any more. */
async function oldestThere(lost: number, db: Db): Promise<number> {
  let gone = lost
  const { localTime } = (await db.command({ hello: 1 })) as { localTime: Date }
  let there = localTime.getTime()
  while (there - gone > PRECISION_MS) {
    const between = (gone + there) / 2
    const stream = open(timestamp(between), db)
    try {
      await stream.tryNext()
      there = between
    } catch (error) {
      if (!isHistoryLost(error)) throw error
      gone = between
    } finally {
      await stream.close()
    }
  }
  return there
}

function isHistoryLost(error: unknown): boolean {
  return error instanceof MongoServerError && HISTORY_LOST.has(Number(error.code))
}
