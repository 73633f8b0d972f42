import { z } from 'zod'
import { userId } from '../ids.ts'
import { profileFields } from '../models.ts'
import { operation } from '../operation.ts'

const USERS_PER_REQUEST = 500
const optionalTexts = Object.fromEntries(
  Object.keys(profileFields).map((name) => [name, z.string().max(512).optional()]),
) as { [K in keyof typeof profileFields]: z.ZodOptional<z.ZodString> }

/** The user system pushes profiles in; a field that is absent stays as it was. */
export const putUsers = operation('user.put', {
  input: z.object({ users: z.array(z.object({ userId, ...optionalTexts })).max(USERS_PER_REQUEST) }),
  output: z.object({}),
  errors: [],
})

/** Users never put are left out of the answer. */
export const getUsers = operation('user.get', {
  input: z.object({ userIds: z.array(userId).max(USERS_PER_REQUEST) }),
  output: z.object({ users: z.array(z.object({ userId: z.string(), ...profileFields })) }),
  errors: [],
})

/** Tokens issued before now are refused from here on, and every socket of the user is closed 4003. */
export const revokeUser = operation('user.revoke', {
  input: z.object({ userId }),
  output: z.object({ notBefore: z.number() }),
  errors: [],
})

/** For gateways: since when (ms) a user's tokens count; 0 when never revoked. In the order asked. */
export const notBeforeOf = operation('user.notBeforeOf', {
  input: z.object({ userIds: z.array(userId).max(USERS_PER_REQUEST) }),
  output: z.object({ notBefore: z.array(z.number()) }),
  errors: [],
})
