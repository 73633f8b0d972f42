import {
  closeCodes,
  EVENTS_STREAM,
  errors,
  type GroupFact,
  getUserId,
  groupFact,
  msgModel,
  type Operation,
  operations,
  sendInput,
  sendOutput,
  subjects,
} from '../../packages/contracts/src/index.ts'
import { surface } from '../../services/gateway/src/surface.ts'
import { operationTexts } from './operations.ts'
import { type JsonSchema, jsonSchema } from './schemas.ts'

const PREFIX = 'im'
const groupFacts = [
  'created',
  'updated',
  'deleted',
  'memberAdded',
  'memberRemoved',
  'roleChanged',
] satisfies GroupFact[]
const integer: JsonSchema = { type: 'integer' }
const text: JsonSchema = { type: 'string' }
const taskId: JsonSchema = { type: ['string', 'number'] as never }

/** The NATS contract and the socket's frames as AsyncAPI 3.0. */
export async function asyncApi(): Promise<object> {
  const texts = await operationTexts()
  const parts = [
    ...Object.values(operations).map((operation) => requestReply(operation, texts.get(operation.name) ?? '')),
    ...groupFacts.map(groupEvent),
    socket(),
  ]
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Qunxin, NATS and WebSocket',
      version: '0.1.0',
      description:
        'Requests carry the headers Im-User (acting user), Im-Request (id for logs) and Im-Deadline (ms since 1970).',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      nats: { host: '127.0.0.1:4222', protocol: 'nats' },
      gateway: { host: '127.0.0.1:8080', pathname: '/ws', protocol: 'ws' },
    },
    channels: Object.assign({}, ...parts.map((part) => part.channels)),
    operations: Object.assign({}, ...parts.map((part) => part.operations)),
    components: { schemas: { Refusal: refusal() } },
  }
}

interface Part {
  channels: Record<string, object>
  operations: Record<string, object>
}

function requestReply(operation: Operation, description: string): Part {
  const id = operation.name.replace('.', '_')
  return {
    channels: {
      [id]: {
        address: `${PREFIX}.${operation.name}`,
        description,
        servers: [{ $ref: '#/servers/nats' }],
        messages: { request: { payload: jsonSchema(operation.input, 'input') } },
      },
      [`${id}_reply`]: {
        address: null,
        servers: [{ $ref: '#/servers/nats' }],
        messages: {
          done: { payload: object({ ok: { const: true }, result: jsonSchema(operation.output, 'output') }) },
          refused: { payload: { $ref: '#/components/schemas/Refusal' } },
        },
      },
    },
    operations: {
      [id]: {
        action: 'receive',
        channel: { $ref: `#/channels/${id}` },
        reply: {
          address: { location: '$message.header#/reply', description: 'The reply subject of the NATS request' },
          channel: { $ref: `#/channels/${id}_reply` },
        },
      },
    },
  }
}

function groupEvent(what: GroupFact): Part {
  const id = `event_group_${what}`
  return {
    channels: {
      [id]: {
        address: `${PREFIX}.${subjects.groupEvent(what)}`,
        description: `A fact, at least once, in the JetStream stream ${EVENTS_STREAM.name}, which keeps ${EVENTS_STREAM.maxAgeHours} h.`,
        servers: [{ $ref: '#/servers/nats' }],
        messages: { fact: { payload: jsonSchema(groupFact, 'output') } },
      },
    },
    operations: { [id]: { action: 'send', channel: { $ref: `#/channels/${id}` } } },
  }
}

/** All frames of the one socket; what is not marked as a push is sent by clients. */
function socket(): Part {
  const asked = surface.map((row) => [
    `ask_${row.tag}`,
    frame(row.tag, withTaskId(jsonSchema(row.operation.input, 'input'))),
  ])
  const answered = surface.map((row) => [
    `answer_${row.tag}`,
    frame(
      row.tag,
      object({ code: integer, taskId, result: jsonSchema(row.operation.output, 'output'), info: text }, ['code']),
    ),
  ])
  const own = {
    ask_canConnect: { payload: object({ tag: { const: 'canConnect' } }) },
    answer_canConnect: frame('canConnect', { type: 'boolean' }),
    ask_getUserId: frame('getUserId', jsonSchema(getUserId, 'input')),
    answer_bound: frame('bound', object({ userId: integer, sessionKey: text, serverTime: integer })),
    ask_message: frame('message', jsonSchema(sendInput, 'input')),
    answer_messageAck: frame('messageAck', {
      oneOf: [jsonSchema(sendOutput, 'output'), object({ msgId: text, code: integer, info: text })],
    }),
    push_message: frame('message', jsonSchema(msgModel, 'output')),
    push_groupListChanged: frame('groupListChanged', object({ groupId: text, reason: text })),
    push_groupChanged: frame(
      'groupChanged',
      object({ groupId: text, reason: text, byUserId: integer, userIds: { type: 'array', items: integer } }, [
        'groupId',
        'reason',
        'byUserId',
      ]),
    ),
    push_error: frame('error', object({ code: integer, info: text, tag: text, taskId }, ['code', 'info'])),
  }
  const messages: Record<string, object> = { ...Object.fromEntries([...asked, ...answered]), ...own }
  const picked = (wanted: (name: string) => boolean) =>
    Object.keys(messages).flatMap((name) => (wanted(name) ? [{ $ref: `#/channels/socket/messages/${name}` }] : []))
  const codes = Object.entries(closeCodes).map(
    ([number, { name, reconnect }]) => `${number} ${name} (reconnect: ${reconnect})`,
  )
  return {
    channels: {
      socket: {
        address: '/ws',
        description: `One JSON object per text frame, both ways. Close codes: ${codes.join('; ')}.`,
        servers: [{ $ref: '#/servers/gateway' }],
        messages,
      },
    },
    operations: {
      fromClient: {
        action: 'receive',
        channel: { $ref: '#/channels/socket' },
        messages: picked((name) => name.startsWith('ask_')),
      },
      toClient: {
        action: 'send',
        channel: { $ref: '#/channels/socket' },
        messages: picked((name) => !name.startsWith('ask_')),
      },
    },
  }
}

function frame(tag: string, data: JsonSchema): { payload: JsonSchema } {
  return { payload: object({ tag: { const: tag }, data }) }
}

function withTaskId(schema: JsonSchema): JsonSchema {
  return { ...schema, properties: { ...schema.properties, taskId } }
}

function object(properties: Record<string, JsonSchema>, required = Object.keys(properties)): JsonSchema {
  return { type: 'object', properties, required }
}

function refusal(): JsonSchema {
  const error = object({ code: { enum: Object.keys(errors) }, info: text, details: { type: 'object' } }, [
    'code',
    'info',
  ])
  return object({ ok: { const: false }, error })
}
