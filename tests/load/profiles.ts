import {
  acknowledgedAtLeast,
  endedInOrder,
  everybodyBack,
  everythingAcknowledged,
  nothingRefused,
  othersTookOver,
} from './bounds/bounds.ts'
import type { Seen } from './bounds/seen.ts'
import type { Bound } from './result.ts'
import type { Settings } from './scenarios/scenario.ts'

export type Size = 'ci' | 'full'

/** One row of the fault table: what is done to the system under load. */
export interface Row {
  number: number
  fault: string
  profiles: Record<Size, Profile>
}

export interface Profile {
  scenario: string
  settings: Settings
  faults: string[]
  messageServices: number
  groupServices: number
  /** Beside the checker's verdict. */
  bounds: ((seen: Seen) => Bound)[]
}

const ALWAYS = [everythingAcknowledged, everybodyBack]
const usual = { scenario: 'mixed', messageServices: 2, groupServices: 1, bounds: ALWAYS }
const SMALL = { reads: true, warmUp: 1, seconds: 5, rate: 600 }
const LARGE = { reads: true, warmUp: 3, seconds: 60, rate: 1_500, pairs: 60, groups: 10, members: 20 }

export const rows: readonly Row[] = [
  {
    number: 1,
    fault: 'kill -9 of each service in turn',
    profiles: {
      ci: {
        ...usual,
        settings: { ...SMALL, seconds: 14, rate: 900 },
        faults: ['kill:services:each:every=1s:count=5'],
        bounds: [acknowledgedAtLeast(10_000), ...ALWAYS],
      },
      full: {
        ...usual,
        settings: { ...LARGE, seconds: 80 },
        faults: ['kill:services:each:every=3s:count=20'],
        bounds: [acknowledgedAtLeast(100_000), ...ALWAYS],
      },
    },
  },
  {
    number: 2,
    fault: 'SIGSTOP of an owner, SIGCONT while others own its partitions',
    profiles: {
      ci: {
        ...usual,
        // Long enough for what the sleeper writes late to be seen under load.
        settings: { ...SMALL, seconds: 14, rate: 300 },
        faults: ['stop:message-service:every=2s:for=8s:count=1'],
        bounds: [othersTookOver, ...ALWAYS],
      },
      full: {
        ...usual,
        settings: { ...LARGE, seconds: 130 },
        faults: ['stop:message-service:every=5s:for=20s:count=5'],
        bounds: [othersTookOver, ...ALWAYS],
      },
    },
  },
  {
    number: 3,
    fault: 'rolling restart of everything by SIGTERM',
    profiles: {
      ci: {
        ...usual,
        groupServices: 2,
        settings: { ...SMALL, rate: 300, callers: 2 },
        faults: ['restart:all:each:every=500ms'],
        bounds: [endedInOrder, ...ALWAYS],
      },
      full: {
        ...usual,
        groupServices: 2,
        settings: { ...LARGE, callers: 8 },
        faults: ['restart:all:each:every=5s'],
        bounds: [endedInOrder, ...ALWAYS],
      },
    },
  },
  {
    number: 4,
    fault: 'cut, delay, black hole and slices, to clients and to servers, in each direction',
    profiles: {
      ci: {
        ...usual,
        settings: SMALL,
        faults: [
          'net:client-gateway:any:any:for=1s:every=500ms:count=12',
          'net:servers:any:any:for=1s:every=500ms:count=20',
        ],
      },
      full: {
        ...usual,
        settings: LARGE,
        faults: ['net:client-gateway:any:any:for=5s:every=3s:count=24', 'net:servers:any:any:for=2s:every=1s:count=84'],
      },
    },
  },
  {
    number: 5,
    fault: 'scale 1 → 3 → 1 message-services',
    profiles: {
      ci: {
        ...usual,
        messageServices: 1,
        settings: SMALL,
        faults: ['scale:message-service:1,3,1:every=3s'],
        bounds: [nothingRefused, endedInOrder, ...ALWAYS],
      },
      full: {
        ...usual,
        messageServices: 1,
        settings: LARGE,
        faults: ['scale:message-service:1,3,1,3,1,3,1:every=5s'],
        bounds: [nothingRefused, endedInOrder, ...ALWAYS],
      },
    },
  },
]

/** @throws TypeError naming those there are */
export function rowOf(number: number): Row {
  const found = rows.find((row) => row.number === number)
  if (found === undefined)
    throw new TypeError(`The table has the rows ${rows.map((row) => row.number).join(', ')}, not ${number}`)
  return found
}
