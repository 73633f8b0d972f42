import { AppError } from '@qunxin/runtime'
import {
  MongoError,
  MongoErrorLabel,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
} from 'mongodb'

const DUPLICATE_KEY = 11_000
const away = [
  MongoNetworkError,
  MongoNotConnectedError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
]
const passing = [
  MongoErrorLabel.TransientTransactionError,
  MongoErrorLabel.UnknownTransactionCommitResult,
  MongoErrorLabel.RetryableWriteError,
]

export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY
}

/** What the caller is told: UNAVAILABLE, to be tried again, when MongoDB is away; anything else stays as it was. */
export function storeFault(error: unknown): unknown {
  if (!(error instanceof MongoError)) return error
  const isAway =
    away.some((kind) => error instanceof kind) ||
    passing.some((label) => error.hasErrorLabel(label)) ||
    error.name === 'MongoWaitQueueTimeoutError'
  return isAway ? new AppError('UNAVAILABLE', { cause: error }) : error
}
