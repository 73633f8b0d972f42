import { readdir, readFile } from 'node:fs/promises'
import { type Operation, operations } from '../../packages/contracts/src/index.ts'
import { type Row, surface } from '../../services/gateway/src/surface.ts'
import { operationDocstrings } from './comments.ts'
import { code, table } from './markdown.ts'
import { REPOSITORY } from './repository.ts'
import { describeType, type JsonSchema, jsonSchema } from './schemas.ts'

const OPERATIONS = `${REPOSITORY}/packages/contracts/src/operations`

/** What each operation is for, from the docstrings of the contracts. */
export async function operationTexts(): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  for (const file of await readdir(OPERATIONS)) {
    const source = await readFile(`${OPERATIONS}/${file}`, 'utf8')
    for (const [name, text] of operationDocstrings(source)) texts.set(name, text)
  }
  return texts
}

/** What clients may call: path, tag, and the refusals of its own. */
export function callTable(): string {
  const rows = surface.map((row) => [code(row.path), code(row.tag), refusals(row.operation)])
  return table(['HTTP path', 'tag', 'refusals of its own'], rows)
}

/** What other services may ask over NATS. */
export function subjectTable(texts: Map<string, string>): string {
  const rows = Object.values(operations).map((operation) => [
    code(`im.${operation.name}`),
    texts.get(operation.name) ?? '',
    refusals(operation),
  ])
  return table(['subject', 'what', 'refusals of its own'], rows)
}

/** One chapter per call, with its fields. */
export function callPages(texts: Map<string, string>): string {
  return surface.map((row) => callPage(row, texts.get(row.operation.name) ?? '')).join('\n\n')
}

function callPage(row: Row, text: string): string {
  const output = jsonSchema(row.operation.output, 'output')
  const result = without(httpResult(row, output), row.told)
  return [
    `## ${row.tag}`,
    '',
    `${code(`POST ${row.path}`)}, tag ${code(row.tag)}, subject ${code(`im.${row.operation.name}`)}`,
    '',
    text,
    '',
    fields('Sent', jsonSchema(row.operation.input, 'input')),
    '',
    fields('Answered', result),
    '',
    `Refusals of its own: ${refusals(row.operation) || 'none'}.`,
  ].join('\n')
}

function fields(title: string, schema: JsonSchema): string {
  const rows = fieldRows(schema)
  return rows.length === 0 ? `${title}: no fields.` : `${title}:\n\n${table(['field', 'type', ''], rows)}`
}

/** One row per field; what is inside an object or an array of objects follows it, named by its path. */
function fieldRows(schema: JsonSchema, before = ''): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const inside = field.type === 'array' ? (field.items ?? {}) : field
    const path = `${before}${name}${field.type === 'array' && inside.properties ? '[]' : ''}`
    const needed = schema.required?.includes(name) ? '' : 'optional'
    return [[code(path), describeType(field), needed], ...fieldRows(inside, `${path}.`)]
  })
}

/** An array is named in an HTTP answer; on the socket it is the `result` itself. */
function httpResult({ list = 'list' }: Row, output: JsonSchema): JsonSchema {
  return output.type === 'array' ? { properties: { [list]: output }, required: [list] } : output
}

function without(schema: JsonSchema, field: string | undefined): JsonSchema {
  if (field === undefined) return schema
  const { [field]: _, ...properties } = schema.properties ?? {}
  return { ...schema, properties }
}

function refusals(operation: Operation): string {
  return operation.errors.map(code).join(', ')
}
