import { z } from 'zod'

/**
 * subjects.partitionPreference: what one user wants of one conversation. The owner answers {@link preferenceAnswer} when it is
 * stored and in force, and is asked again without an answer: setting twice changes nothing.
 */
export const preferenceChange = z.object({
  user: z.string(),
  conversation: z.string(),
  /** Of the user's row before the change: an asking that was held up changes nothing that was answered since. */
  version: z.number().int().nonnegative(),
  /** Personal conversations only: the other user's messages are refused. */
  blocked: z.boolean().optional(),
  muted: z.boolean().optional(),
})
export type PreferenceChange = z.infer<typeof preferenceChange>

/** `done: false` when the row is of another version: it has to be read again. */
export const preferenceAnswer = z.object({ done: z.boolean() })
export type PreferenceAnswer = z.infer<typeof preferenceAnswer>
