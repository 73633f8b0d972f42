import { type ErrorCode, errors } from '@qunxin/contracts'

/** A refusal a caller can understand: its code stands in the one error table. Anything else thrown becomes INTERNAL. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  /** Shown to the caller as `details`: what is wrong and where, never a secret. */
  readonly details: Record<string, unknown> | undefined

  constructor(code: ErrorCode, options: { details?: Record<string, unknown> | undefined; cause?: unknown } = {}) {
    super(code, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details
  }

  get retryable(): boolean {
    return errors[this.code].retryable
  }
}

export function toAppError(error: unknown): AppError {
  return error instanceof AppError ? error : new AppError('INTERNAL', { cause: error })
}
