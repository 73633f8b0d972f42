import { z } from 'zod'

export interface JsonSchema {
  type?: string
  description?: string
  properties?: Record<string, JsonSchema>
  required?: string[]
  items?: JsonSchema
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  enum?: (string | number)[]
  const?: unknown
  default?: unknown
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  minLength?: number
  maxLength?: number
  maxItems?: number
  pattern?: string
  additionalProperties?: unknown
  [key: string]: unknown
}

/** What may be sent (`input`), or what comes out (`output`), as JSON Schema 2020-12 without its `$schema` line. */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' }) as JsonSchema
  return tidy(rest)
}

/** Unknown fields are ignored on the way in and may be added on the way out: nothing says `additionalProperties: false`. */
function tidy(schema: JsonSchema): JsonSchema {
  const { additionalProperties: _, '~standard': __, ...rest } = schema
  return {
    ...rest,
    ...(rest.properties && { properties: mapValues(rest.properties, tidy) }),
    ...(rest.items && { items: tidy(rest.items) }),
    ...(rest.anyOf && { anyOf: rest.anyOf.map(tidy) }),
    ...(rest.oneOf && { oneOf: rest.oneOf.map(tidy) }),
  }
}

function mapValues<A, B>(values: Record<string, A>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]))
}

/** How a person would say the type of a field. */
export function describeType(schema: JsonSchema): string {
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return [...new Set(choices.map(describeType))].join(' or ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' or ')
  if (schema.type === 'array') {
    const most = schema.maxItems === undefined ? '' : `, at most ${schema.maxItems.toLocaleString('en')}`
    return `array of ${describeType(schema.items ?? {})}${most}`
  }
  if (schema.type === 'string') return `string${lengthOf(schema)}`
  if (schema.type === 'integer' || schema.type === 'number') return schema.type
  return schema.type ?? 'any'
}

function lengthOf({ pattern, maxLength }: JsonSchema): string {
  if (pattern !== undefined && /^\^?(\(0\|)?\[?[\d1-9\\]*.*\\d/.test(pattern)) return ' of digits'
  if (pattern !== undefined) return ` matching ${pattern}`
  return maxLength === undefined ? '' : `, at most ${maxLength.toLocaleString('en')}`
}
