import { parseArgs } from 'node:util'
import { parseFault, SPEC_HELP } from './faults/index.ts'
import { findScenario } from './run.ts'
import { scenarios } from './scenarios/index.ts'
import { commonSettings, type Scenario, type SettingDefinitions, type Settings } from './scenarios/scenario.ts'

export interface LoadOptions {
  scenario: Scenario
  settings: Settings
  faults: string[]
  seed?: number
  gateways: number
  messageServices: number
  groupServices: number
  join?: string
  out: string
  keepHistory: boolean
  profile: boolean
}

const general = {
  seed: { type: 'string', about: 'of everything random; made up and printed when absent' },
  fault: { type: 'string', multiple: true, about: 'what is done to the system meanwhile, see below; may be repeated' },
  gateways: { type: 'string', default: '2', about: 'processes of the system that is started' },
  'message-services': { type: 'string', default: '2', about: 'as above' },
  'group-services': { type: 'string', default: '1', about: 'as above' },
  join: { type: 'string', about: 'run.json of a running system to use instead, started with RATE_LIMITS=off' },
  out: { type: 'string', default: '.data/load', about: 'where the JSON and the page go' },
  'keep-history': { type: 'boolean', about: 'keeps everything that was sent and seen beside them, for check' },
  profile: {
    type: 'boolean',
    about: 'profiles our processes, and says in which functions they were while it was measured',
  },
  help: { type: 'boolean', short: 'h', about: 'this text' },
} as const

/** A command line that cannot be carried out. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** What the command line asks for; undefined for help. @throws UsageError that says what is wrong */
export function readOptions(args: readonly string[]): LoadOptions | undefined {
  if (args.some((argument) => argument === '--help' || argument === '-h')) return undefined
  try {
    return read(args)
  } catch (error) {
    // Whoever parses a part says by a TypeError that it is none.
    if (error instanceof TypeError) throw new UsageError(error.message)
    throw error
  }
}

function read([name = '', ...rest]: readonly string[]): LoadOptions {
  if (name === '' || name.startsWith('-')) throw new UsageError(`Which scenario? One of ${names()}.`)
  const scenario = findScenario(name)
  const definitions: SettingDefinitions = { ...commonSettings, ...scenario.settings }
  const values = parsed(rest, definitions)
  const count = (option: 'gateways' | 'message-services' | 'group-services') => number(option, values[option], 1)
  const faults = (values.fault as string[] | undefined) ?? []
  // One that is none shall be known before a system is started for it.
  for (const fault of faults) parseFault(fault)
  if (faults.length > 0 && values.join !== undefined)
    throw new UsageError('--fault is done to a system that this command starts itself, not to one it joins.')
  if (values.profile === true && values.join !== undefined)
    throw new UsageError('--profile is of a system that this command starts itself, not of one it joins.')
  return {
    scenario,
    settings: settingsFrom(values, definitions),
    faults,
    ...(values.seed !== undefined && { seed: number('seed', values.seed) }),
    gateways: count('gateways'),
    messageServices: count('message-services'),
    groupServices: count('group-services'),
    ...(values.join !== undefined && { join: String(values.join) }),
    out: String(values.out),
    keepHistory: values['keep-history'] === true,
    profile: values.profile === true,
  }
}

export function helpText(): string {
  const ofGeneral = Object.entries(general).map(([name, option]): [string, string] => [
    `--${name}`,
    'default' in option ? `${option.about} (${option.default})` : option.about,
  ])
  return `Usage: pnpm load <scenario> [options]
       pnpm load check <history>     judges what --keep-history kept once more
       pnpm load table [options]     the table of faults; --help for its options
       pnpm load performance [options]   the table of speed; --help for its options

Starts the system, puts it under load and checks every message: what was acknowledged is stored and shown, once, in order,
unchanged, and to nobody else. Writes a page and JSON; exits with 1 when anything was wrong, 2 for a wrong command line,
3 when the run could not be carried through.

${table(ofGeneral)}

Every scenario:
${table(rowsOf(commonSettings))}
${scenarios.map(({ name, about, settings }) => `\n${name}: ${about}\n${table(rowsOf(settings))}`).join('\n')}

Faults:
${SPEC_HELP.replace(/^/gm, '  ')}
`
}

const names = () => scenarios.map(({ name }) => name).join(', ')
/** As an option on the command line. */
export const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

function rowsOf(definitions: SettingDefinitions): [string, string][] {
  return Object.entries(definitions).map(([name, { value, about }]) => [
    `--${kebab(name)}`,
    typeof value === 'boolean' ? about : `${about} (${value})`,
  ])
}

function table(rows: readonly [string, string][]): string {
  return rows.map(([option, about]) => `  ${option.padEnd(20)} ${about}`).join('\n')
}

type Values = Record<string, string | boolean | (string | boolean)[] | undefined>

function parsed(args: readonly string[], definitions: SettingDefinitions): Values {
  const ofScenario = Object.entries(definitions).map(([name, { value }]) => {
    return [kebab(name), { type: typeof value === 'boolean' ? 'boolean' : 'string' }] as const
  })
  try {
    return parseArgs({ args: [...args], options: { ...Object.fromEntries(ofScenario), ...general } }).values
  } catch (error) {
    throw new UsageError((error as Error).message.split('. To specify')[0])
  }
}

function settingsFrom(values: Values, definitions: SettingDefinitions): Settings {
  const given = Object.entries(definitions).flatMap(([name, { value }]) => {
    const text = values[kebab(name)]
    if (text === undefined) return []
    return [[name, typeof value === 'boolean' ? text === true : number(kebab(name), text)] as const]
  })
  return Object.fromEntries(given)
}

function number(option: string, text: unknown, least = 0): number {
  const value = Number(text)
  if (typeof text === 'string' && /^\d+(\.\d+)?$/.test(text) && value >= least) return value
  throw new UsageError(`--${option} is a number${least > 0 ? ` from ${least}` : ''}, not ${JSON.stringify(text)}`)
}
