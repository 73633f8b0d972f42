import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { eventually } from '../eventually.ts'
import { drawFrom } from '../load/faults/draw.ts'
import { people } from '../people.ts'
import { testSystem } from '../system.ts'
import {
  breaches,
  change,
  chatter,
  historyBreaches,
  IN_FORCE_MS,
  newParty,
  type Party,
  readHistories,
} from './members.ts'
import { killAndWait } from './processes.ts'

const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))
t.comment(`TEST_SEED=${seed}`)
const GROUPS = 5
const GUESTS = 4
const CHANGES = 12

const system = await testSystem(t, { gateways: 2, groupServices: 2, messageServices: 5, restartWithinMs: 500 })
const newPerson = people(t, system)

/** Guests of one group come and go at random until it is over; between two changes of one a breach has time to show. */
async function comeAndGo(party: Party, random: () => number, over: AbortSignal): Promise<void> {
  for (let count = 0; count < CHANGES || !over.aborted; count++) {
    const guest = party.guests[Math.floor(random() * party.guests.length)]!
    const { member, from } = guest.spells.at(-1)!
    const [one, other] = member ? (['kick', 'leave'] as const) : (['join', 'add'] as const)
    await delay(Math.max(0, from + 3 * IN_FORCE_MS - Date.now()))
    await change(party, guest, random() < 0.5 ? one : other)
    await delay(random() * 200)
  }
}

/** Parties under load while `meanwhile` goes on. */
async function run(salt: number, meanwhile: () => Promise<void>): Promise<Party[]> {
  const parties = await Promise.all(
    Array.from({ length: GROUPS }, (_, index) => newParty(newPerson, { guests: GUESTS, index })),
  )
  const over = new AbortController()
  const talking = Promise.all(parties.map((party) => chatter(party, over.signal)))
  await eventually(() => parties.every(({ sent }) => sent.length > 5), 'everybody talks')
  const done = new AbortController()
  const changing = parties.map((party, index) => comeAndGo(party, drawFrom(seed, salt + index).next, done.signal))
  await meanwhile()
  done.abort()
  await Promise.all(changing)
  over.abort()
  await talking
  return parties
}

const told = (parties: readonly Party[]) => {
  const guests = parties.flatMap((party) => party.guests)
  const sent = [...parties, ...guests].reduce((sum, one) => sum + one.sent.length, 0)
  const received = guests.reduce((sum, guest) => sum + guest.received.length, 0)
  const spells = guests.reduce((sum, guest) => sum + guest.spells.length, 0)
  return `${spells} spells, ${sent} accepted, ${received} received`
}

t.test(
  'who is kicked or leaves gets and sends nothing later than 200 ms after, who comes gets everything after',
  async (t) => {
    const parties = await run(0, async () => {})
    t.comment(told(parties))
    let rest: string[] = []
    // What was acknowledged may still be on its way to another socket.
    await eventually(
      () => {
        rest = parties.flatMap((party) => breaches(party, { whoCameMs: 0 }))
        return !rest.some((breach) => breach.includes('misses'))
      },
      'everything has arrived',
      5_000,
    ).catch(() => {})
    t.same(rest.slice(0, 10), [])
    await Promise.all(parties.map(readHistories))
    const histories = parties.flatMap((party) => historyBreaches(party, { whoCameMs: 0 }))
    t.same(histories.slice(0, 10), [], 'the history of who came and went is what they were there for')
  },
)

t.test('the same while services are killed and stand still', async (t) => {
  const parties = await run(1_000, async () => {
    await delay(500)
    const sleeper = system.pid('message-service-2')
    process.kill(sleeper, 'SIGSTOP')
    await Promise.all([killAndWait(system, 'group-service-1'), delay(3_500)])
    process.kill(sleeper, 'SIGCONT')
    await killAndWait(system, 'message-service-3')
  })
  t.comment(told(parties))
  let rest: string[] = []
  await eventually(
    () => {
      rest = parties.flatMap((party) => breaches(party, { whoCameMs: IN_FORCE_MS, lostPushes: true }))
      return !rest.some((breach) => breach.includes('misses'))
    },
    'everything has arrived',
    10_000,
  ).catch(() => {})
  t.same(rest.slice(0, 10), [])
  await Promise.all(parties.map(readHistories))
  const histories = parties.flatMap((party) => historyBreaches(party, { whoCameMs: IN_FORCE_MS }))
  t.same(histories.slice(0, 10), [], 'where no owner confirmed, times have decided')
})
