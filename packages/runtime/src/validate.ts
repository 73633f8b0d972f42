import type { z } from 'zod'
import { AppError } from './app-error.ts'

/**
 * Checks what came from outside.
 *
 * @throws AppError `code` with the first wrong field's name in `details.field` and all of them in `details.problems`
 */
export function validate<S extends z.ZodType>(
  schema: S,
  value: unknown,
  code: 'BAD_REQUEST' | 'UNAUTHENTICATED' = 'BAD_REQUEST',
): z.output<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map((issue) => ({ field: issue.path.join('.'), problem: issue.message }))
  throw new AppError(code, { details: { field: problems[0]?.field ?? '', problems } })
}
