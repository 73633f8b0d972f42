import {
  type ConversationId,
  conversationOf,
  messageRead,
  messageReceived,
  type Operation,
  pairOf,
  typing,
} from '@qunxin/contracts'
import { AppError, toAppError, validate } from '@qunxin/runtime'
import type { z } from 'zod'
import { refuseOthers } from '../calls/calls.ts'
import type { Row } from '../surface.ts'
import type { Connection } from './connection.ts'
import type { Incoming } from './incoming.ts'
import { tellError } from './refusals.ts'

/** Where frames without an answer go. */
export interface Notices {
  /** Everything up to `seq` has reached the connection's user. Returns whether there was room to remember it. */
  received(connection: Connection, conversation: ConversationId, seq: number): boolean
  /** The connection's user has read up to `seq`. Returns whether there was room to remember it. */
  read(connection: Connection, conversation: ConversationId, seq: number): boolean
  typing(connection: Connection, conversation: ConversationId): void
}

type Take = (connection: Connection, data: unknown, notices: Notices) => boolean

const takers = new Map<Operation, Take>([
  [
    messageReceived,
    (connection, data, notices) => {
      const { conversation, seq } = read(messageReceived.input, connection, data)
      return notices.received(connection, conversation, seq)
    },
  ],
  [
    messageRead,
    (connection, data, notices) => {
      const { conversation, seq } = read(messageRead.input, connection, data)
      return notices.read(connection, conversation, seq)
    },
  ],
  [
    typing,
    (connection, data, notices) => {
      notices.typing(connection, read(typing.input, connection, data).conversation)
      return true
    },
  ],
])

/** Whose frames can be silent. */
export const silentOperations: ReadonlySet<Operation> = new Set(takers.keys())

/** A frame without an answer, whatever taskId it has; only one that cannot be taken is told of, by `error`. */
export function silentFrame(connection: Connection, row: Row, incoming: Incoming, notices: Notices): void {
  try {
    const taken = takers.get(row.operation)?.(connection, incoming.data, notices)
    if (!taken) tellError(connection, 'UNAVAILABLE', incoming)
  } catch (error) {
    tellError(connection, toAppError(error).code, incoming)
  }
}

type AboutConversation = z.ZodType<Parameters<typeof conversationOf>[1]>

/** @throws AppError BAD_REQUEST, also for a conversation with oneself; FORBIDDEN when it names another user as the caller */
function read<S extends AboutConversation>(schema: S, { userId, principal }: Connection, data: unknown) {
  const input = validate(schema, data)
  if (principal) refuseOthers(data as Record<string, unknown>, principal)
  const conversation = conversationOf(userId, input)
  const pair = pairOf(conversation)
  if (pair && pair[0] === pair[1]) throw new AppError('BAD_REQUEST', { details: { field: 'peerUserId' } })
  return { ...input, conversation } satisfies { conversation: ConversationId }
}
