import { join, resolve } from 'node:path'
import { SetupError } from '../progress.ts'
import { REPOSITORY } from '../repository.ts'

export interface Settings {
  port: number
  gateways: number
  groupServices: number
  messageServices: number
  /** Absent: one is made and kept in the data folder. */
  authSecret?: string
  dataDir: string
  rateLimits: boolean
  /** Where gateways listen. */
  host: string
}

/** Reads what `npm start` honours. @throws SetupError naming every setting that is wrong */
export function readSettings(env: Record<string, string | undefined>): Settings {
  const faults: string[] = []
  const number = (name: string, fallback: number, range: { from: number; to: number }): number => {
    const text = env[name]
    if (text === undefined || text === '') return fallback
    const value = Number(text)
    if (Number.isInteger(value) && value >= range.from && value <= range.to) return value
    faults.push(`${name} is ${JSON.stringify(text)}, but must be a whole number from ${range.from} to ${range.to}`)
    return fallback
  }
  const count = { from: 1, to: 32 }
  const rateLimits = env.RATE_LIMITS || 'on'
  if (rateLimits !== 'on' && rateLimits !== 'off')
    faults.push(`RATE_LIMITS is ${JSON.stringify(rateLimits)}, but must be on or off`)
  const authSecret = env.AUTH_SECRET || undefined
  const settings = {
    port: number('PORT', 8080, { from: 1, to: 65_535 }),
    gateways: number('GATEWAYS', 1, count),
    groupServices: number('GROUP_SERVICES', 1, count),
    messageServices: number('MESSAGE_SERVICES', 1, count),
    ...(authSecret === undefined ? {} : { authSecret }),
    dataDir: env.DATA_DIR ? resolve(env.DATA_DIR) : join(REPOSITORY, '.data'),
    rateLimits: rateLimits === 'on',
    host: env.HOST || '127.0.0.1',
  }
  if (faults.length > 0)
    throw new SetupError(`These settings are wrong:\n${faults.map((fault) => `  ${fault}`).join('\n')}`)
  return settings
}
