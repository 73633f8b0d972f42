import { z } from 'zod'

/** `im.event.group.*`: facts after the fact, at least once, with Nats-Msg-Id. Ids are strings. */
export const groupFact = z.object({
  at: z.number(),
  groupId: z.string(),
  userIds: z.array(z.string()).optional(),
  byUserId: z.string().optional(),
})
export type GroupFactData = z.infer<typeof groupFact>

/** The JetStream stream behind `im.event.>`. */
export const EVENTS_STREAM = { name: 'IM_EVENTS', maxAgeHours: 72 }
