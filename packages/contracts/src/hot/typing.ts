import { z } from 'zod'

/** subjects.partitionTyping: told to whoever else is in the conversation, stored nowhere, answered by nobody. */
export const typingNotice = z.object({ user: z.string(), conversation: z.string() })
export type TypingNotice = z.infer<typeof typingNotice>
