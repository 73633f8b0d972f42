import { type ChangeStreamDocument, type Db, MongoServerError, Timestamp } from 'mongodb'
import type { Message } from '../domain/message.ts'
import { type MessageDocument, toMessage } from '../store/message-document.ts'
import type { Watermark } from './watermarks.ts'

/** Times of the database are not those of its oplog to the second, and who missed a message turns out a while after it was stored. */
const MARGIN_MS = 10_000
const MESSAGES_AT_ONCE = 1_000
const HISTORY_LOST = new Set([280, 286])
const PRECISION_MS = 1_000

export interface ReplayOptions {
  db: Db
  take(messages: readonly Message[]): Promise<void>
  /** Called when the oplog does not reach back so far, with the times (ms by the database's clock) between which nothing is read. */
  lost(from: number, until: number): void
  signal: AbortSignal
}

interface Marked {
  operationType: string
  fullDocument?: MessageDocument
  updateDescription?: { updatedFields?: { marker?: string } }
}

/** Reads from the oplog what a majority has stored from a watermark up to its marker, in order. */
export async function replay(watermark: Watermark, options: ReplayOptions): Promise<void> {
  let from = watermark.publishedUntil - MARGIN_MS
  for (;;) {
    try {
      return await read(from, watermark, options)
    } catch (error) {
      if (!isHistoryLost(error)) throw error
      const until = await oldestThere(from, watermark, options)
      options.lost(from, until)
      from = until
    }
  }
}

async function read(from: number, watermark: Watermark, { db, take, signal }: ReplayOptions): Promise<void> {
  const stream = open(from, watermark, db)
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
      if (!change || messages.length >= MESSAGES_AT_ONCE) await handOn()
      if (change?.fullDocument) messages.push(toMessage(change.fullDocument))
      else if (change?.updateDescription?.updatedFields?.marker === watermark.marker) return await handOn()
    }
  } finally {
    await stream.close()
  }
}

function open(from: number, { id }: Watermark, db: Db) {
  const wanted = [
    { operationType: 'insert', 'ns.coll': 'messages' },
    { operationType: 'update', 'ns.coll': 'watermarks', 'documentKey._id': id },
  ]
  return db.watch<Marked, Marked & ChangeStreamDocument>(
    [
      { $match: { $or: wanted } },
      { $project: { operationType: 1, fullDocument: 1, 'updateDescription.updatedFields.marker': 1 } },
    ],
    {
      startAtOperationTime: new Timestamp({ t: Math.max(1, Math.floor(from / 1_000)), i: 1 }),
      batchSize: MESSAGES_AT_ONCE,
      maxAwaitTimeMS: 500,
    },
  )
}

/** To the second; `lost` is not there any more. */
async function oldestThere(lost: number, watermark: Watermark, { db }: ReplayOptions): Promise<number> {
  let gone = lost
  let there = Date.now()
  while (there - gone > PRECISION_MS) {
    const between = (gone + there) / 2
    const stream = open(between, watermark, db)
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
