import { type ChatRecord, groupOf, peerOf } from '@qunxin/contracts'
import type { History, Seen } from '../history.ts'
import type { Target } from '../target.ts'
import { anyGateway } from './any-gateway.ts'
import { inTurn } from './in-turn.ts'
import type { RunClient } from './run-client.ts'

const AT_ONCE = 8
const PAGE_SIZE = 200
const TELL_EVERY_MS = 2_000

interface Task {
  client: RunClient
  conversation: number
  whole: boolean
  /** Decides gateway and direction. */
  number: number
}

export interface ReadBackOptions {
  target: Pick<Target, 'urls'>
  history: History
  clients: readonly RunClient[]
  /** So many members of a conversation read all of it, the others its newest page; 0: all of them all of it. */
  readers: number
  progress(line: string): void
}

/** The end of a run: what every client finds in the history of every conversation it is in. */
export async function readBack(options: ReadBackOptions): Promise<void> {
  const { history, progress } = options
  const tasks = tasksOf(options)
  let done = 0
  let toldAt = performance.now()
  await inTurn(tasks, AT_ONCE, async (task) => {
    const { client, conversation, whole } = task
    history.read(client.index, conversation, await readOne(task, options), { whole })
    done += 1
    if (performance.now() - toldAt < TELL_EVERY_MS) return
    toldAt = performance.now()
    progress(`${done} of ${tasks.length} histories read`)
  })
}

/** Of conversations somebody has written into: the others have no messages, of idle users there are very many. */
function tasksOf({ history, clients, readers }: ReadBackOptions): Task[] {
  const written = new Set<number>()
  for (let i = 0; i < history.attempts.conversation.length; i++) written.add(history.attempts.conversation.at(i))
  return history.conversations.flatMap(({ members }, conversation) => {
    if (!written.has(conversation)) return []
    const present = [...members].filter(([, { until }]) => until === Number.POSITIVE_INFINITY)
    return present.flatMap(([index], number) => {
      const client = clients[index]
      return client ? [{ client, conversation, whole: readers === 0 || number < readers, number }] : []
    })
  })
}

async function readOne({ client, conversation, whole, number }: Task, options: ReadBackOptions): Promise<Seen[]> {
  const id = options.history.conversations[conversation]?.id ?? ''
  const group = groupOf(id)
  const named = group === undefined ? { chatUserId: peerOf(id, String(client.userId)) } : { groupId: group }
  const gateway = anyGateway(options.target, client, number)
  const page = async (position: Record<string, number>) => {
    const data = { ...named, pageSize: PAGE_SIZE, ...position }
    return (await gateway.post<{ recordList: ChatRecord[] }>('/chat/chat!loadChatRecords', data)).recordList
  }
  const pages: ChatRecord[][] = []
  if (!whole) pages.push(await page({}))
  else if (number % 2 === 0) {
    for (let found = await page({ lastTime: 0 }); found.length > 0; found = await page({ lastTime: lastOf(found) }))
      pages.push(found)
  } else {
    for (let found = await page({}); found.length > 0; found = await page({ beforeSeq: found[0]?.seq ?? 1 }))
      pages.unshift(found)
  }
  return pages.flat().map(({ seq, msg_id, fromId, msg, timestamp }) => {
    return { seq, msgId: msg_id, fromUserId: Number(fromId), text: msg, at: timestamp }
  })
}

const lastOf = (page: readonly ChatRecord[]) => page.at(-1)?.timestamp ?? 0
