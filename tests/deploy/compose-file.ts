import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'

export const REPOSITORY = join(import.meta.dirname, '..', '..')
export const SERVICES = ['gateway', 'group-service', 'message-service'] as const

export interface Container {
  image: string
  environment?: Record<string, string>
  depends_on?: Record<string, { condition: string }>
  healthcheck?: { test: string[] }
  ports?: string[]
  networks: string[]
  restart?: string
  read_only?: boolean
  cap_drop?: string[]
  security_opt?: string[]
  stop_grace_period?: string
  build?: { dockerfile: string; args: { SERVICE: string } }
}

interface ComposeFile {
  services: Record<string, Container>
  networks: Record<string, { internal?: boolean }>
}

export async function readComposeFile(): Promise<ComposeFile> {
  return parse(await readFile(join(REPOSITORY, 'docker-compose.yml'), 'utf8'), { merge: true }) as ComposeFile
}

/** Puts variables in as Docker Compose does: `${NAME:-default}`, and `${NAME:?message}` for what must be set. */
export function interpolate(text: string, variables: Record<string, string>): string {
  return text.replaceAll(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, operator?: string, rest = '') => {
    const value = variables[name]
    if (value) return value
    if (operator === '?') throw new Error(`${name} is not set: ${rest}`)
    return rest
  })
}
