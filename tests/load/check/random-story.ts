import type { Draw } from '../faults/draw.ts'
import { type Send, type Story, sentAt, type Told } from './story.ts'

const PAIRS = 3
const GROUPS = 2
const GROUP_SIZE = 4

/**
 * A run in which nothing went wrong, though connections broke, sends were refused, acknowledged twice or left without an answer,
 * and messages came again on the next connection.
 */
export function randomStory(draw: Draw): Story {
  const story = emptyStory()
  const sends = 30 + Math.floor(draw.next() * 60)
  for (let index = 0; index < sends; index++) story.sends.push(drawSend(story, draw))
  const log = store(story, draw)
  for (let client = 0; client < story.clients.length; client++) connect(client, { story, log, draw })
  for (const [conversation, { members }] of story.conversations.entries()) {
    const messages = log.filter((told) => told.conversation === conversation)
    for (const client of members) story.readings.push({ client, conversation, messages: copy(messages) })
    const [first] = members
    if (first !== undefined)
      story.readings.push({ client: first, conversation, whole: false, messages: copy(messages.slice(-5)) })
  }
  return story
}

const copy = (messages: readonly Told[]) => messages.map((told) => ({ ...told }))

function emptyStory(): Story {
  const count = 2 * PAIRS + GROUPS * GROUP_SIZE
  const clients = Array.from({ length: count }, (_, i) => ({ userId: 100 + i }))
  const pairs = Array.from({ length: PAIRS }, (_, i) => ({
    id: `p${100 + 2 * i}-${101 + 2 * i}`,
    members: [2 * i, 2 * i + 1],
  }))
  const groups = Array.from({ length: GROUPS }, (_, i) => ({
    id: `g${7 + i}`,
    members: Array.from({ length: GROUP_SIZE }, (_, j) => 2 * PAIRS + i * GROUP_SIZE + j),
  }))
  return { clients, conversations: [...pairs, ...groups], sends: [], connections: [], readings: [] }
}

function drawSend({ conversations }: Story, draw: Draw): Send {
  const conversation = Math.floor(draw.next() * conversations.length)
  const sender = draw.of(conversations[conversation]?.members ?? [])
  return { sender, conversation, acks: [], ...(draw.next() < 0.05 && { refused: true }) }
}

/** Numbers what is stored in the order it was sent; of what has no outcome a part is stored too. */
function store({ sends }: Story, draw: Draw): Told[] {
  const log: Told[] = []
  const newest = new Map<number, { seq: number; at: number }>()
  for (const [index, send] of sends.entries()) {
    const lot = draw.next()
    if (send.refused || lot < 0.05) continue
    const { seq, at } = newest.get(send.conversation) ?? { seq: 0, at: 1_000_000 }
    const place = { seq: seq + 1, at: at + 1 + Math.floor(draw.next() * 900) }
    newest.set(send.conversation, place)
    log.push({ send: index, ...place, conversation: send.conversation })
    if (lot > 0.1) send.acks = lot > 0.9 ? [place, { ...place }] : [place]
  }
  return log
}

/** One connection after the other; what came shortly before a break comes again after it. */
function connect(client: number, { story, log, draw }: { story: Story; log: readonly Told[]; draw: Draw }): void {
  const mine = log.filter(({ send, conversation }) => {
    const members = story.conversations[conversation]?.members ?? []
    return members.includes(client) && story.sends[Number(send)]?.sender !== client
  })
  let [boundAt, from] = [0, 0]
  while (draw.next() < 0.5) {
    const breaksAt = boundAt + draw.next() * sentAt(story.sends.length - 1)
    const shown = mine.slice(from).filter(({ send }) => sentAt(Number(send)) < breaksAt)
    story.connections.push({ client, boundAt, closedAt: breaksAt, shown: copy(shown) })
    boundAt = breaksAt + 2_000
    from += Math.max(0, shown.length - Math.floor(draw.next() * 4))
  }
  story.connections.push({ client, boundAt, shown: copy(mine.slice(from)) })
}
