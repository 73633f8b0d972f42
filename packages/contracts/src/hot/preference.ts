import { z } from 'zod'

/**
 * subjects.partitionPreference: what one user wants of one conversation. The owner answers `{}` when it is stored and in force,
 * and is asked again without an answer: setting twice changes nothing.
 */
export const preferenceChange = z.object({
  user: z.string(),
  conversation: z.string(),
  /** Personal conversations only: the other user's messages are refused. */
  blocked: z.boolean().optional(),
  muted: z.boolean().optional(),
})
export type PreferenceChange = z.infer<typeof preferenceChange>
