import { setTimeout as delay } from 'node:timers/promises'
import type { ChatClient } from '@qunxin/client'
import { errors, type MsgModel } from '@qunxin/contracts'
import type { Person, people } from '../people.ts'

/** What the system promises: a change holds so long after it was answered, at the latest. */
export const IN_FORCE_MS = 200
const SEND_EVERY_MS = 40
const RETRY_MS = 100

/** A time of Date.now(): everything here runs on one machine, the services too. */
type Moment = number

/** While somebody certainly was a member, or certainly was none. */
export interface Spell {
  member: boolean
  /** When the change that began it was answered. */
  from: Moment
  /** When the one that ended it was first asked for. */
  to: Moment
}

export interface Acknowledged {
  msgId: string
  /** serverReceiveDate. */
  at: Moment
  /** When the acknowledgement came. */
  knownAt: Moment
  duplicate: boolean
}

export interface Received extends MsgModel {
  shownAt: Moment
}

/** One user of one group who comes and goes, and goes on sending all the while. */
export interface Guest {
  person: Person
  received: Received[]
  sent: Acknowledged[]
  /** Refused for another reason than not being a member. */
  faults: unknown[]
  spells: Spell[]
  /** History that was shown to who was no member. */
  leaks: unknown[]
  /** All they could read in the end, by msgId. */
  history: Set<string>
}

export interface Party {
  owner: Person
  groupId: string
  guests: Guest[]
  /** Sends by the owner, who never leaves. */
  sent: Acknowledged[]
}

export async function newParty(
  newPerson: ReturnType<typeof people>,
  options: { guests: number; index: number },
): Promise<Party> {
  const owner = await newPerson()
  const guests = await Promise.all(
    Array.from({ length: options.guests }, async (): Promise<Guest> => {
      const person = await newPerson()
      return { person, received: [], sent: [], faults: [], spells: [], leaks: [], history: new Set() }
    }),
  )
  const made = await owner.post('/chat/group!createGroup', {
    groupName: `party ${options.index}`,
    memberIds: guests.map(({ person }) => person.number),
    history: 'joined',
  })
  const from = Date.now()
  for (const guest of guests) guest.spells.push({ member: true, from, to: Number.POSITIVE_INFINITY })
  return { owner, groupId: made.data.groupId, guests, sent: [] }
}

/** Everybody sends again and again until it is over, member or not. */
export async function chatter(party: Party, over: AbortSignal): Promise<void> {
  const { owner, guests, groupId } = party
  const connect = (person: Person, gateway: number) => person.client({ gateway, sendTimeoutMs: 60_000 })
  const all = guests.map(async (guest, index) => {
    const client = await connect(guest.person, index % 2)
    client.on('message', (message) => {
      if (message.sessionId === groupId) guest.received.push({ ...message, shownAt: Date.now() })
    })
    await send(client, groupId, { over, sent: guest.sent, faults: guest.faults })
  })
  const faults: unknown[] = []
  all.push(connect(owner, 0).then((client) => send(client, groupId, { over, sent: party.sent, faults })))
  await Promise.all(all)
  if (faults.length > 0) throw faults[0]
}

async function send(
  client: ChatClient,
  group: string,
  { over, sent, faults }: { over: AbortSignal; sent: Acknowledged[]; faults: unknown[] },
): Promise<void> {
  for (let number = 0; !over.aborted; number++) {
    try {
      const { msgId, serverReceiveDate: at, duplicate = false } = await client.send({ group, text: `${number}` })
      sent.push({ msgId, at, knownAt: Date.now(), duplicate })
    } catch (error) {
      if ((error as { code?: unknown }).code !== errors.NOT_A_MEMBER.number) faults.push(error)
    }
    await delay(SEND_EVERY_MS)
  }
}

/** Ends or begins a membership, tried until it is answered with success. */
export async function change(party: Party, guest: Guest, how: 'kick' | 'leave' | 'join' | 'add'): Promise<void> {
  const { owner, groupId } = party
  const { person, spells } = guest
  const memberIds = [person.number]
  const attempt = {
    kick: () => owner.post('/chat/group!kickGroupMembers', { groupId, memberIds }),
    add: () => owner.post('/chat/group!addGroupMembers', { groupId, memberIds }),
    leave: () => person.post('/chat/group!exitGroup', { groupId }),
    join: () => person.post('/chat/group!joinGroup', { groupId }),
  }[how]
  spells.at(-1)!.to = Date.now()
  for (;;) {
    const { data } = await attempt()
    // An attempt nobody answered may have been carried out.
    if (data.success || (how === 'leave' && data.code === 'NOT_A_MEMBER')) break
    await delay(RETRY_MS)
  }
  const member = how === 'join' || how === 'add'
  spells.push({ member, from: Date.now(), to: Number.POSITIVE_INFINITY })
  if (member) return
  const { data } = await person.post('/chat/chat!loadChatRecords', { groupId })
  if (data.success) guest.leaks.push(data)
}

/** Everybody reads all that they may, for which who is out comes in once more. */
export async function readHistories(party: Party): Promise<void> {
  for (const guest of party.guests) {
    if (!guest.spells.at(-1)!.member) await change(party, guest, 'join')
    for (let lastTime = 0, more = true; more; ) {
      const page = { groupId: party.groupId, lastTime, pageSize: 100 }
      const { data } = await guest.person.post('/chat/chat!loadChatRecords', page)
      for (const { msg_id } of data.recordList) guest.history.add(msg_id)
      more = data.recordList.length > 0
      if (more) lastTime = data.recordList.at(-1).timestamp
    }
  }
}

/** Whether what may be read fits who was a member when, and what was shown fits both; says what does not. */
export function historyBreaches(party: Party, tolerance: { whoCameMs: number }): string[] {
  const found: string[] = []
  const acknowledged = [party, ...party.guests].flatMap(({ sent }) => sent)
  for (const { person, spells, history } of party.guests)
    for (const { member, from, to } of spells)
      for (const { msgId, at, knownAt } of acknowledged) {
        const isTheirs = member && at >= from + tolerance.whoCameMs && knownAt < to
        if (isTheirs && !history.has(msgId)) found.push(`${person.id} cannot read ${msgId}, sent after they came`)
        const isNotTheirs = !member && at > from + IN_FORCE_MS && knownAt < to
        if (isNotTheirs && history.has(msgId)) found.push(`${person.id} may read ${msgId}, sent after they were gone`)
      }
  return found
}

/** Whether what was received and accepted fits who was a member when; says what does not. */
export function breaches(party: Party, tolerance: { whoCameMs: number; lostPushes?: true }): string[] {
  const { guests } = party
  const found: string[] = []
  const acknowledged = [party, ...guests].flatMap(({ sent }) => sent)
  for (const guest of guests) {
    const { person, received, sent, spells } = guest
    const has = new Set(received.map(({ msgId }) => msgId))
    const own = new Set(sent.map(({ msgId }) => msgId))
    for (const { member, from, to } of spells) {
      if (member) {
        // An acknowledgement comes behind the message's own way out.
        for (const { msgId, at, knownAt } of acknowledged)
          if (at >= from + tolerance.whoCameMs && knownAt < to && !has.has(msgId) && !own.has(msgId))
            found.push(`${person.id} misses ${msgId}, sent ${at - from} ms after they came`)
        continue
      }
      const inForce = (at: Moment) => at > from + IN_FORCE_MS && at < to
      // Nor is it shown to who is back, unless the pushes that they had left and come back both died with a process.
      for (const { msgId, serverReceiveDate: at, shownAt } of received)
        if (inForce(at) && (!tolerance.lostPushes || shownAt < to))
          found.push(`${person.id} got ${msgId}, sent ${at - from} ms after they were gone`)
      for (const { msgId, at } of sent)
        if (inForce(at)) found.push(`${person.id} could send ${msgId} ${at - from} ms after they were gone`)
    }
    const seqs = received.map(({ seq }) => seq)
    if (seqs.some((seq, index) => index > 0 && seq <= seqs[index - 1]!))
      found.push(`${person.id} was shown something twice or out of order`)
    for (const leak of guest.leaks) found.push(`${person.id} read history: ${JSON.stringify(leak).slice(0, 200)}`)
    for (const fault of guest.faults) found.push(`${person.id}: ${fault}`)
  }
  return found
}
