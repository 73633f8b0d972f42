import type { z } from 'zod'
import type { ErrorCode } from './errors.ts'

/** One thing the system can do: its name is its NATS subject below the prefix, and the key of its handler. */
export interface Operation<
  Name extends string = string,
  Input extends z.ZodType = z.ZodType,
  Output extends z.ZodType = z.ZodType,
> {
  readonly name: Name
  readonly input: Input
  readonly output: Output
  /** Refusals of its own; BAD_REQUEST, UNAVAILABLE, TIMEOUT and INTERNAL are possible everywhere. */
  readonly errors: readonly ErrorCode[]
}

export type InputOf<O extends Operation> = z.output<O['input']>
export type OutputOf<O extends Operation> = z.output<O['output']>

export function operation<Name extends string, Input extends z.ZodType, Output extends z.ZodType>(
  name: Name,
  parts: { input: Input; output: Output; errors: readonly ErrorCode[] },
): Operation<Name, Input, Output> {
  return { name, ...parts }
}
