import { errors, httpHeaders } from '../../packages/contracts/src/index.ts'
import { type Row, surface } from '../../services/gateway/src/surface.ts'
import { operationTexts } from './operations.ts'
import { type JsonSchema, jsonSchema } from './schemas.ts'

const VERSION = '0.1.0'
const json = (schema: object) => ({ 'application/json': { schema } })

/** The HTTP edge as OpenAPI 3.1. */
export async function openApi(): Promise<object> {
  const texts = await operationTexts()
  return {
    openapi: '3.1.0',
    info: {
      title: 'Qunxin, HTTP',
      version: VERSION,
      description:
        'Every call takes and gives `headers` and `data`. A business refusal is answered 200 with `success: false`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://127.0.0.1:8080', description: 'npm start' }],
    // The token stands in the body, in `headers.accessToken`.
    security: [],
    paths: {
      ...Object.fromEntries(surface.map((row) => [row.path, { post: call(row, texts.get(row.operation.name) ?? '') }])),
      '/canConnect': {
        get: {
          operationId: 'canConnect',
          summary: 'Whether this gateway takes connections; false while it drains or is full.',
          responses: { 200: { description: 'true or false', content: json({ type: 'boolean' }) } },
        },
      },
    },
    components: { schemas: components(), responses: refusals() },
  }
}

function call(row: Row, description: string) {
  return {
    operationId: row.tag,
    description,
    requestBody: {
      required: true,
      content: json({
        type: 'object',
        properties: { headers: ref('Headers'), data: jsonSchema(row.operation.input, 'input') },
        required: ['headers'],
      }),
    },
    responses: {
      200: {
        description: `Done, or refused: ${['FORBIDDEN', ...row.operation.errors].join(', ')}`,
        content: json(envelope({ oneOf: [success(row), ref('Refusal')] })),
      },
      ...Object.fromEntries(httpStatuses().map((status) => [status, { $ref: `#/components/responses/${status}` }])),
    },
  }
}

function success(row: Row): JsonSchema {
  const output = jsonSchema(row.operation.output, 'output')
  const named = output.type === 'array' ? { properties: { [row.list ?? 'list']: output } } : output
  const properties = { ...named.properties }
  if (row.told !== undefined) delete properties[row.told]
  return {
    type: 'object',
    properties: { success: { const: true }, info: { type: 'string' }, ...properties },
    required: ['success', 'info', ...Object.keys(properties).filter((name) => !optional(output, name))],
  }
}

function optional(output: JsonSchema, name: string): boolean {
  return output.type !== 'array' && !output.required?.includes(name)
}

function components(): Record<string, JsonSchema> {
  return {
    Headers: { ...jsonSchema(httpHeaders, 'input'), description: 'Who calls; the answer repeats it.' },
    Refusal: {
      type: 'object',
      properties: {
        success: { const: false },
        info: {
          type: 'string',
          description: 'For a person, in Chinese, or in English when Accept-Language prefers it.',
        },
        code: { enum: Object.keys(errors) },
        details: { type: 'object', description: '`field` names what is wrong.' },
      },
      required: ['success', 'info', 'code'],
    },
  }
}

function refusals(): Record<string, object> {
  return Object.fromEntries(
    httpStatuses().map((status) => {
      const words = Object.entries(errors).flatMap(([word, entry]) => (entry.status === status ? [word] : []))
      const retryAfter = { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } }
      return [
        `${status}`,
        {
          description: words.join(', '),
          ...(status === 429 && { headers: retryAfter }),
          content: json(envelope(ref('Refusal'))),
        },
      ]
    }),
  )
}

function httpStatuses(): number[] {
  const statuses = Object.values(errors).map((entry): number => entry.status)
  return [...new Set(statuses)].filter((status) => status !== 200).sort((a, b) => a - b)
}

function envelope(data: JsonSchema): JsonSchema {
  return { type: 'object', properties: { headers: { type: 'object' }, data }, required: ['headers', 'data'] }
}

function ref(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` }
}
