import { type UserId, userId } from '@qunxin/contracts'
import { validate } from '@qunxin/runtime'
import { z } from 'zod'
import type { CallContext } from './serve.ts'

const acting = z.object({ 'Im-User': userId })

/**
 * Who acts stands in a header that other back-end services write themselves, so it is checked like any input.
 *
 * @throws AppError BAD_REQUEST
 */
export function actorOf({ user }: Pick<CallContext, 'user'>): UserId {
  return validate(acting, { 'Im-User': user })['Im-User']
}
