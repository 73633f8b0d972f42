import { setTimeout as delay } from 'node:timers/promises'
import {
  type ConversationEntry,
  type conversationList,
  conversationNamed,
  groupOf,
  nameFor,
  type OutputOf,
  type queryReceipts,
} from '@qunxin/contracts'
import { type FurthestMarks, furthestMarks } from '../furthest-marks.ts'
import type { History, Receipts, Standing } from '../history.ts'
import type { Target } from '../target.ts'
import { anyGateway } from './any-gateway.ts'
import { inTurn } from './in-turn.ts'
import type { RunClient } from './run-client.ts'

const AT_ONCE = 8
const RETRY_MS = 250
/**
 * Clients that know only the seeds prove by a pong that they were shown something, every few seconds; and what is said to be read has
 * no answer, so that it may still be on its way. What is missing then is for the checker.
 */
const GIVE_UP_MS = 30_000

export interface FinalCountsOptions {
  target: Pick<Target, 'urls'>
  history: History
  clients: readonly RunClient[]
  progress(line: string): void
}

/** The end of a run whose clients read: what their lists say, and who has had and read the newest message of each conversation. */
export async function readFinalCounts(options: FinalCountsOptions): Promise<void> {
  const { history, clients, progress } = options
  progress('reading lists and receipts')
  const newest = newestOf(history)
  const asked = [...newest].flatMap(([conversation, seq]) => {
    const [member] = history.conversations[conversation]?.members.keys() ?? []
    const client = member === undefined ? undefined : clients[member]
    return client ? [{ client, conversation, seq }] : []
  })
  const marked = furthestMarks(history)
  await inTurn(asked, AT_ONCE, async ({ client, conversation, seq }) => {
    const readers = [...(history.conversations[conversation]?.members.keys() ?? [])]
    const said = readers.filter((reader) => marked(reader, conversation) >= seq).length
    history.receipts.push(await receiptsOf(options, client, { conversation, seq, said }))
  })
  await inTurn(clients, AT_ONCE, async (client) => {
    history.standings.push(...(await standingsOf(options, client, marked)))
  })
}

/** The newest seq of each conversation that was written into, as its readers found it. */
function newestOf({ readings, records }: History): Map<number, number> {
  const newest = new Map<number, number>()
  for (const { conversation, from, to } of readings)
    if (to > from) newest.set(conversation, Math.max(newest.get(conversation) ?? 0, records.seq.at(to - 1)))
  return newest
}

/** Asks until everybody has had it, and so many as said so have read it, or that will not happen any more. */
async function receiptsOf(
  { target, history }: FinalCountsOptions,
  client: RunClient,
  { conversation, seq, said }: { conversation: number; seq: number; said: number },
): Promise<Receipts> {
  const id = history.conversations[conversation]?.id ?? ''
  const gateway = anyGateway(target, client, conversation)
  const data = { ...nameOf(id, client), seq }
  const giveUpAt = performance.now() + GIVE_UP_MS
  for (;;) {
    const readers: number[] = []
    let counts: OutputOf<typeof queryReceipts>
    let after: number | undefined
    do {
      counts = await gateway.post('/chat/chat!queryReceipts', { ...data, ...(after !== undefined && { after }) })
      readers.push(...counts.members.filter(({ state }) => state === 3).map(({ userId }) => userId))
      after = counts.next
    } while (after !== undefined)
    const { deliveredCount, readCount, total } = counts
    if ((deliveredCount === total && readCount >= said) || performance.now() > giveUpAt)
      return { conversation, seq, deliveredCount, readCount, total, readers }
    await delay(RETRY_MS)
  }
}

/** Asks until everything has been read that the client said it had, or that will not happen any more. */
async function standingsOf(options: FinalCountsOptions, client: RunClient, marked: FurthestMarks): Promise<Standing[]> {
  const { history } = options
  const giveUpAt = performance.now() + GIVE_UP_MS
  for (;;) {
    const standings = (await listOf(options, client)).map(({ deliveredSeq, readSeq, unread, ...name }) => {
      const conversation = history.conversation(conversationNamed(name, String(client.userId)))
      return { client: client.index, conversation, deliveredSeq, readSeq, unread }
    })
    const isBehind = standings.some(({ conversation, readSeq }) => readSeq < marked(client.index, conversation))
    if (!isBehind || performance.now() > giveUpAt) return standings
    await delay(RETRY_MS)
  }
}

async function listOf({ target }: FinalCountsOptions, client: RunClient): Promise<ConversationEntry[]> {
  const gateway = anyGateway(target, client, client.index)
  const entries: ConversationEntry[] = []
  let after: string | undefined
  do {
    const page: OutputOf<typeof conversationList> = await gateway.post(
      '/chat/chat!conversationList',
      after === undefined ? {} : { after },
    )
    entries.push(...page.conversations)
    after = page.next
  } while (after !== undefined)
  return entries
}

function nameOf(id: string, { userId }: RunClient) {
  const { sessionId, peerUserId } = nameFor(id, String(userId))
  return groupOf(id) === undefined ? { peerUserId: String(peerUserId) } : { sessionId }
}
