import { History, type Receipts, type Standing } from '../history.ts'

/** A run as a test tells it: plain data, to be bent before it is played. */
export interface Story {
  clients: { userId: number; sync?: boolean }[]
  conversations: { id: string; members: number[] }[]
  sends: Send[]
  connections: { client: number; boundAt?: number; closedAt?: number; shown: Told[] }[]
  readings: { client: number; conversation: number; whole?: boolean; messages: Told[] }[]
  marks?: { client: number; conversation: number; seq: number }[]
  cursors?: { client: number; conversation: number; userId: number; delivered: number; read: number }[]
  tallies?: { client: number; conversation: number; seq: number; delivered: number; read: number; total: number }[]
  standings?: Standing[]
  receipts?: Receipts[]
}

export interface Send {
  sender: number
  conversation: number
  /** Every acknowledgement that came; none: the outcome is unknown, unless it was refused. */
  acks: { seq: number; at: number }[]
  /** When they came; half as long after it as until the next send, unless said otherwise. */
  ackedAt?: number
  refused?: boolean
}

/** A message as somebody saw it: that of a send, or of nobody's; what is given differs from what was sent. */
export interface Told {
  send: number | string
  seq: number
  at: number
  conversation: number
  text?: string
  fromUserId?: number
}

/** Between two sends. */
export const SEND_EVERY_MS = 1_000

export const sentAt = (send: number) => send * SEND_EVERY_MS

export function play(story: Story): History {
  const history = new History('run')
  for (const { userId, sync = false } of story.clients) history.addClient(userId, { sync })
  for (const { id, members } of story.conversations)
    for (const client of members) history.joined(history.conversation(id), client)
  const texts = story.sends.map(({ sender, conversation, acks, ackedAt, refused }, index) => {
    const { index: attempt, text } = history.attempt(sender, conversation, { intendedAt: sentAt(index), units: 40 })
    for (const ack of acks) history.acknowledged(attempt, ack, ackedAt ?? sentAt(index) + SEND_EVERY_MS / 2)
    if (refused) history.refused(attempt)
    return text
  })
  const seen = ({ send, seq, at, text, fromUserId }: Told) => {
    const sender = typeof send === 'number' ? story.clients[story.sends[send]?.sender ?? 0]?.userId : undefined
    return {
      seq,
      at,
      msgId: typeof send === 'number' ? history.msgId(send) : send,
      text: text ?? (typeof send === 'number' ? (texts[send] ?? '') : ''),
      fromUserId: fromUserId ?? sender ?? 0,
    }
  }
  for (const { client, boundAt = 0, closedAt, shown } of story.connections) {
    const connection = history.connected(client, boundAt)
    for (const told of shown) history.showed(connection, told.conversation, seen(told))
    if (closedAt !== undefined) history.disconnected(connection, closedAt)
  }
  for (const { client, conversation, whole = true, messages } of story.readings)
    history.read(client, conversation, messages.map(seen), { whole })
  for (const { client, conversation, seq } of story.marks ?? []) history.marked(client, conversation, seq)
  for (const { client, conversation, ...of } of story.cursors ?? []) history.showedCursor(client, conversation, of)
  for (const { client, conversation, ...of } of story.tallies ?? []) history.showedTally(client, conversation, of)
  history.standings.push(...(story.standings ?? []))
  history.receipts.push(...(story.receipts ?? []))
  return history
}

/** Users 1 and 2; 1 sends so many messages to 2, everything goes well. */
export function smallStory(count = 3): Story {
  const messages = Array.from(
    { length: count },
    (_, i): Told => ({ send: i, seq: i + 1, at: 1_000 + i, conversation: 0 }),
  )
  const copy = () => messages.map((told) => ({ ...told }))
  return {
    clients: [{ userId: 1 }, { userId: 2 }],
    conversations: [{ id: 'p1-2', members: [0, 1] }],
    sends: messages.map(({ seq, at }) => ({ sender: 0, conversation: 0, acks: [{ seq, at }] })),
    connections: [
      { client: 0, shown: [] },
      { client: 1, shown: copy() },
    ],
    readings: [0, 1].map((client) => ({ client, conversation: 0, messages: copy() })),
  }
}
