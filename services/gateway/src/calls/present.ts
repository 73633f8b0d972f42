import { type Answer, type ErrorCode, errors, errorText, type Language, successText, taskId } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import type { Row } from '../surface.ts'

/** Seed A's `data`: the text for a person, and beside it what the operation answers. */
export function successData(row: Row, output: unknown, language: Language): Record<string, unknown> {
  const fields = (Array.isArray(output) ? { [row.list ?? 'list']: output } : output) as Record<string, unknown>
  if (row.told === undefined) return { success: true, info: successText(row.info, language), ...fields }
  const { [row.told]: told, ...shown } = fields
  return { success: true, info: successText(row.info, language, String(told)), ...shown }
}

export function refusalData(refusal: AppError, language: Language): Record<string, unknown> {
  return { success: false, info: errorText(refusal.code, language), code: refusal.code, ...detailsOf(refusal) }
}

export type TaskId = Answer['taskId']

/**
 * What the answer is found by: comes back as it was, an empty one too, and is left out when absent.
 *
 * @throws AppError BAD_REQUEST with field taskId
 */
export function taskIdOf(data: unknown): TaskId {
  if (typeof data !== 'object' || data === null || !('taskId' in data) || data.taskId === undefined) return undefined
  const parsed = taskId.safeParse(data.taskId)
  if (!parsed.success) throw new AppError('BAD_REQUEST', { details: { field: 'taskId' } })
  return parsed.data
}

/** The socket's answer: seed A's whole `data` as `result`, or seed B's output. */
export function answerTo(row: Row, output: unknown, asked: { taskId?: TaskId; language: Language }): Answer {
  const answer: Answer = { code: 0, ...named(asked.taskId) }
  if (row.style === 'seedA') answer.result = successData(row, output, asked.language)
  else if (!row.noResult) answer.result = output
  return answer
}

export function refusalTo(refusal: AppError, asked: { taskId?: TaskId; language: Language }): Answer {
  return {
    code: errors[refusal.code].number,
    ...named(asked.taskId),
    info: errorText(refusal.code, asked.language),
    ...detailsOf(refusal),
  }
}

/** What tells of our inside is for the log, not for the caller. */
const inward: ReadonlySet<ErrorCode> = new Set(['INTERNAL', 'UNAVAILABLE', 'TIMEOUT'])

function detailsOf({ code, details }: AppError): { details?: Record<string, unknown> } {
  return details === undefined || inward.has(code) ? {} : { details }
}

function named(taskId: TaskId): { taskId?: TaskId } {
  return taskId === undefined ? {} : { taskId }
}
