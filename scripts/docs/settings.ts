import { readFile } from 'node:fs/promises'
import type { z } from 'zod'
import { commonConfig } from '../../packages/runtime/src/config.ts'
import { gatewayConfig } from '../../services/gateway/src/config.ts'
import { groupServiceConfig } from '../../services/group-service/src/config.ts'
import { configSchema as messageServiceConfig } from '../../services/message-service/src/config.ts'
import { docstrings } from './comments.ts'
import { code, table } from './markdown.ts'
import { REPOSITORY } from './repository.ts'
import { type JsonSchema, jsonSchema } from './schemas.ts'

export interface Setting {
  name: string
  type: string
  /** As it would be written in the environment; undefined when there is none. */
  default: string | undefined
  text: string
}

export const configs = {
  gateway: gatewayConfig,
  'group-service': groupServiceConfig,
  'message-service': messageServiceConfig,
} as const
export type ServiceName = keyof typeof configs

/** Every setting of one service, in the order its schema has them. */
export async function settingsOf(service: ServiceName): Promise<Setting[]> {
  const sources = [`services/${service}/src/config.ts`, 'packages/runtime/src/config.ts']
  const texts = await Promise.all(
    sources.map(async (path) => docstrings(await readFile(`${REPOSITORY}/${path}`, 'utf8'))),
  )
  const schema = jsonSchema(configs[service], 'input')
  const defaults = new Map(Object.entries(configs[service].shape).map(([name, one]) => [name, defaultOf(one)]))
  return Object.entries(schema.properties ?? {}).map(([name, field]) => ({
    name,
    type: typeOf(field),
    default: defaults.get(name),
    text: texts.map((found) => found.get(name)).find((text) => text !== undefined) ?? '',
  }))
}

/** What a setting is when nothing is given, written as in the environment; undefined when there is no default. */
function defaultOf(setting: z.ZodType): string | undefined {
  const parsed = setting.safeParse(undefined)
  return parsed.success && parsed.data !== undefined ? written(parsed.data) : undefined
}

/** The settings all services share, then those of each. */
export async function settingsTable(which: 'common' | ServiceName): Promise<string> {
  const settings = await settingsOf(which === 'common' ? 'message-service' : which)
  const shared = (name: string) => Object.hasOwn(commonConfig, name) && name !== 'OPS_PORT'
  const rows = settings
    .filter(({ name }) => shared(name) === (which === 'common'))
    .map((setting) => [code(setting.name), setting.type, setting.default ? code(setting.default) : '', setting.text])
  return table(['setting', 'value', 'default', ''], rows)
}

function typeOf(field: JsonSchema): string {
  if (field.enum?.includes('on')) return 'on, off'
  if (field.enum) return field.enum.join(', ')
  return field.type === 'integer' || field.type === 'number' ? 'number' : 'text'
}

function written(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return Array.isArray(value) ? value.join(',') : String(value)
}
