import type { ServiceKind } from '@qunxin/devstack'
import type { Direction } from '@qunxin/devstack/tcp-proxy'

export const SERVICES = ['gateway', 'message-service', 'group-service'] as const
export const SERVERS = ['nats-server', 'redis-server', 'mongod'] as const
/** Several processes by one word. */
export const SETS = ['services', 'servers', 'all'] as const
export const LINKS = [
  'client-gateway',
  'gateway-nats',
  'gateway-redis',
  'group-service-nats',
  'group-service-mongo',
  'message-service-nats',
  'message-service-mongo',
  'message-service-redis',
] as const
const DIRECTIONS = ['upstream', 'downstream', 'both'] as const
const NET_FAULTS = ['cut', 'delay', 'blackhole', 'slice'] as const
const KINDS = ['kill', 'stop', 'restart', 'scale', 'net'] as const

/** Another one each time, until all have been. */
const ANY = 'any'
/** Instead of one link, each time another of those between services and their servers. */
const ANY_SERVER = 'servers'

export type Link = (typeof LINKS)[number]
export type LinkFaultKind = (typeof NET_FAULTS)[number]

interface Repeated {
  /** As it was written. */
  text: string
  /** On average, in milliseconds, between the end of one and the beginning of the next. */
  everyMs: number
  /** Undefined: until the run is over. */
  count: number | undefined
}

export interface ProcessFault extends Repeated {
  kind: 'kill' | 'stop' | 'restart'
  /** A process, a kind or a set. */
  who: string
  /** All of them in turn, not drawn. */
  each: boolean
  /** How long a stopped process stands still. */
  forMs: number
}

export interface ScaleFault {
  kind: 'scale'
  text: string
  service: ServiceKind
  steps: number[]
  everyMs: number
}

export interface LinkFault extends Repeated {
  kind: 'net'
  /** Those it goes through; one at a time. */
  links: readonly Link[]
  faults: readonly LinkFaultKind[]
  directions: readonly Direction[]
  /** At all processes of the link at once, not at one that is drawn. */
  all: boolean
  forMs: number
  /** Of `delay`. */
  delayMs: number
  jitterMs: number
  /** Of `slice`. */
  bytes: number
}

export type Fault = ProcessFault | ScaleFault | LinkFault

/** What the help page says. */
export const SPEC_HELP = `kill|stop|restart:<who>[:each][:every=5s][:count=n][:for=20s]
    who    a process (message-service-1, mongod), a kind (gateway), or ${SETS.join(', ')}
    each   all of them in turn instead of one drawn; for how long, stop only
scale:<${SERVICES.join('|')}>:1,3,1[:every=5s]
net:<link>:<${NET_FAULTS.join('|')}|${ANY}>:<${DIRECTIONS.join('|')}|${ANY}>[:all][:for=1s][:every=5s][:count=n]
    link   ${LINKS.slice(0, 4).join(', ')},
           ${LINKS.slice(4).join(', ')},
           ${ANY_SERVER} (all but the clients'), ${ANY}
    ${ANY}    another one each time, until all have been
    all    at every process of the link instead of one drawn
    delay  ms=200 ± jitter=100; slice  bytes=64 at most`

/** A fault as it is written on the command line. @throws TypeError that says what is allowed */
export function parseFault(text: string): Fault {
  const [kind, ...rest] = text.split(':')
  if (kind === 'kill' || kind === 'stop' || kind === 'restart') return processFault(text, kind, rest)
  if (kind === 'scale') return scaleFault(text, rest)
  if (kind === 'net') return linkFault(text, rest)
  throw wrong(text, `begins with one of ${KINDS.join(', ')}`)
}

/** Others go on until they are stopped. */
export function endsByItself(fault: Fault): boolean {
  if (fault.kind === 'scale') return true
  return fault.count !== undefined || (fault.kind === 'restart' && fault.each)
}

function processFault(text: string, kind: ProcessFault['kind'], [who = '', ...options]: string[]): ProcessFault {
  const known = [...SETS, ...SERVICES, ...SERVERS] as string[]
  const isService = SERVICES.some((service) => who.startsWith(`${service}-`) && /-\d+$/.test(who))
  if (!known.includes(who) && !isService) throw wrong(text, `names a process, or one of ${known.join(', ')}`)
  const own = kind === 'stop' ? ['for'] : []
  const read = optionsOf(text, options, { flags: ['each'], values: ['every', 'count', ...own] })
  return {
    kind,
    text,
    who,
    each: read.has('each'),
    everyMs: read.duration('every', 5_000),
    count: read.number('count'),
    forMs: read.duration('for', 20_000),
  }
}

function scaleFault(text: string, [service = '', counts = '', ...options]: string[]): ScaleFault {
  if (!isOneOf(SERVICES, service)) throw wrong(text, `scales one of ${SERVICES.join(', ')}`)
  const steps = counts.split(',').map(Number)
  if (!steps.every((step) => Number.isInteger(step) && step >= 1)) throw wrong(text, 'says how many, as in 1,3,1')
  return {
    kind: 'scale',
    text,
    service,
    steps,
    everyMs: optionsOf(text, options, { values: ['every'] }).duration('every', 5_000),
  }
}

function linkFault(text: string, [link = '', fault = '', direction = '', ...options]: string[]): LinkFault {
  const links = link === ANY_SERVER ? LINKS.filter((one) => one !== 'client-gateway') : chosen(LINKS, link)
  if (links.length === 0) throw wrong(text, `names a link: ${[...LINKS, ANY_SERVER, ANY].join(', ')}`)
  const faults = chosen(NET_FAULTS, fault)
  if (faults.length === 0) throw wrong(text, `names one of ${[...NET_FAULTS, ANY].join(', ')}`)
  const directions = chosen(DIRECTIONS, direction)
  if (directions.length === 0) throw wrong(text, `names a direction: ${[...DIRECTIONS, ANY].join(', ')}`)
  const own = faults.flatMap((one) => ({ cut: [], blackhole: [], delay: ['ms', 'jitter'], slice: ['bytes'] })[one])
  const read = optionsOf(text, options, { flags: ['all'], values: ['for', 'every', 'count', ...own] })
  return {
    kind: 'net',
    text,
    links,
    faults,
    directions,
    all: read.has('all'),
    forMs: read.duration('for', 1_000),
    everyMs: read.duration('every', 5_000),
    count: read.number('count'),
    delayMs: read.number('ms') ?? 200,
    jitterMs: read.number('jitter') ?? 100,
    bytes: read.number('bytes') ?? 64,
  }
}

function optionsOf(text: string, options: readonly string[], allowed: { flags?: string[]; values: string[] }) {
  const given = new Map<string, string>()
  for (const option of options) {
    const [name = '', value] = option.split('=')
    if (!(value === undefined ? allowed.flags : allowed.values)?.includes(name)) {
      const all = [...(allowed.flags ?? []), ...allowed.values.map((one) => `${one}=`)]
      throw wrong(text, `takes ${all.join(', ')}, not ${JSON.stringify(option)}`)
    }
    given.set(name, value ?? '')
  }
  return {
    has: (flag: string) => given.has(flag),
    number(name: string): number | undefined {
      const value = given.get(name)
      if (value === undefined) return undefined
      if (!/^\d+$/.test(value)) throw wrong(text, `has a whole number for ${name}, not ${JSON.stringify(value)}`)
      return Number(value)
    },
    duration(name: string, fallbackMs: number): number {
      const value = given.get(name)
      if (value === undefined) return fallbackMs
      const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(value) ?? []
      if (amount === undefined)
        throw wrong(text, `has a time like 500ms or 5s for ${name}, not ${JSON.stringify(value)}`)
      return Number(amount) * (unit === 's' ? 1_000 : 1)
    },
  }
}

function chosen<T extends string>(all: readonly T[], one: string): readonly T[] {
  return one === ANY ? all : isOneOf(all, one) ? [one] : []
}

function isOneOf<T extends string>(all: readonly T[], one: string): one is T {
  return (all as readonly string[]).includes(one)
}

function wrong(text: string, rule: string): TypeError {
  return new TypeError(`The fault ${JSON.stringify(text)} is none: it ${rule}.\n${SPEC_HELP}`)
}
