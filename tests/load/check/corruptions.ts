import type { Draw } from '../faults/draw.ts'
import type { Violations } from '../result.ts'
import type { Send, Story, Told } from './story.ts'

export interface Corruption {
  name: string
  kind: keyof Violations
  /** Bends one thing; answers with what it was done to, as an example must name it, or undefined when there is nothing to do it to. */
  apply(story: Story, draw: Draw): Told | undefined
}

/** Everything the checker is there for, each as one fault of an otherwise clean run. */
export const corruptions: readonly Corruption[] = [
  {
    name: "an acknowledged message is in nobody's history",
    kind: 'lost',
    apply: (story, draw) => {
      const victim = drawn(draw, acknowledged(story))
      for (const reading of story.readings) reading.messages = reading.messages.filter((told) => !same(told, victim))
      return victim
    },
  },
  {
    name: 'a stray message is stored',
    kind: 'unexpected',
    apply: (story, draw) => append(story, draw, () => 'stray'),
  },
  {
    name: 'a message that was refused is stored',
    kind: 'unexpected',
    apply: (story, draw) =>
      append(story, draw, (conversation) =>
        story.sends.findIndex((one) => one.refused && one.conversation === conversation),
      ),
  },
  {
    name: 'a message is stored twice',
    kind: 'doubled',
    apply: (story, draw) => append(story, draw, (_, messages) => draw.of(messages).send),
  },
  {
    name: 'a message is shown twice on one connection',
    kind: 'doubled',
    apply: (story, draw) => {
      const connection = drawn(
        draw,
        story.connections.filter(({ shown }) => shown.length > 0),
      )
      const victim = connection && draw.of(connection.shown)
      if (victim) connection.shown.push({ ...victim })
      return victim
    },
  },
  {
    name: 'two messages of a conversation are shown the wrong way round',
    kind: 'inversions',
    apply: (story, draw) => {
      const found = story.connections.flatMap(({ shown }) =>
        shown.flatMap((told, i) => {
          const before = shown.findLastIndex((one, j) => j < i && one.conversation === told.conversation)
          return before < 0 ? [] : [{ shown, i, before }]
        }),
      )
      const { shown, i, before } = drawn(draw, found) ?? { shown: [], i: 0, before: 0 }
      const [late, early] = [shown[before], shown[i]]
      if (!late || !early) return undefined
      shown[before] = early
      shown[i] = late
      return late
    },
  },
  {
    name: 'one reader finds two messages exchanged',
    kind: 'inversions',
    apply: (story, draw) => {
      const { messages } = drawn(
        draw,
        story.readings.filter((one) => one.messages.length > 1),
      ) ?? { messages: [] }
      const i = Math.floor(draw.next() * (messages.length - 1))
      const [one, other] = [messages[i], messages[i + 1]]
      if (!one || !other) return undefined
      ;[one.send, other.send] = [other.send, one.send]
      return one
    },
  },
  {
    name: 'a seq is left out',
    kind: 'inversions',
    apply: (story, draw) => {
      const victim = drawn(draw, stored(story))
      if (!victim) return undefined
      const { seq, conversation } = victim
      const move = (one: { seq: number }) => {
        if (one.seq >= seq) one.seq += 1
      }
      for (const told of everywhere(story)) if (told.conversation === conversation) move(told)
      for (const send of story.sends) if (send.conversation === conversation) for (const ack of send.acks) move(ack)
      return victim
    },
  },
  {
    name: "a sender's messages are stored the wrong way round",
    kind: 'senderInversions',
    apply: (story, draw) => {
      const list = acknowledged(story)
      const found = list.flatMap((late, i) => {
        const early = list.slice(i + 1).find((one) => sameRow(story, one, late))
        return early ? [[late, early] as const] : []
      })
      const [one, other] = drawn(draw, found) ?? []
      if (!one || !other) return undefined
      const [a, b] = [one.send, other.send]
      const exchange = (told: Told) => {
        if (told.conversation !== one.conversation) return
        if (told.send === a) told.send = b
        else if (told.send === b) told.send = a
      }
      for (const told of new Set(everywhere(story))) exchange(told)
      const [sendA, sendB] = [story.sends[Number(a)] as Send, story.sends[Number(b)] as Send]
      ;[sendA.acks, sendB.acks] = [sendB.acks, sendA.acks]
      return { ...other, send: a }
    },
  },
  {
    name: 'a text is changed on the way to a receiver',
    kind: 'content',
    apply: (story, draw) => change(drawnShown(story, draw), { text: 'something else' }),
  },
  {
    name: 'a message is shown under another sender',
    kind: 'content',
    apply: (story, draw) => change(drawnShown(story, draw), { fromUserId: 99 }),
  },
  {
    name: 'a stored text is changed',
    kind: 'content',
    apply: (story, draw) => {
      const victim = drawn(draw, stored(story))
      for (const { messages } of story.readings)
        for (const told of messages) if (same(told, victim)) change(told, { text: 'something else' })
      return victim
    },
  },
  {
    name: 'an acknowledgement names another seq',
    kind: 'content',
    apply: (story, draw) => {
      const victim = drawn(draw, acknowledged(story))
      const ack = victim && story.sends[Number(victim.send)]?.acks[0]
      if (!ack) return undefined
      ack.seq += 1
      return { ...victim, seq: ack.seq }
    },
  },
  {
    name: 'an acknowledged message is never shown to one receiver',
    kind: 'undelivered',
    apply: (story, draw) => {
      const shown = story.connections.flatMap(({ client, shown }) => shown.map((told) => ({ client, told })))
      const { client, told } =
        drawn(
          draw,
          shown.filter(({ told }) => story.sends[Number(told.send)]?.acks.length),
        ) ?? {}
      for (const connection of story.connections)
        if (connection.client === client) connection.shown = connection.shown.filter((one) => !same(one, told))
      return told
    },
  },
  {
    name: 'a message is shown to somebody it is not for',
    kind: 'leaked',
    apply: (story, draw) => {
      const victim = drawn(draw, stored(story))
      if (!victim) return undefined
      const members = story.conversations[victim.conversation]?.members ?? []
      draw.of(story.connections.filter(({ client }) => !members.includes(client))).shown.push({ ...victim })
      return victim
    },
  },
]

const same = (one: Told, other: Told | undefined) => one.conversation === other?.conversation && one.send === other.send

function sameRow({ sends }: Story, one: Told, other: Told): boolean {
  const [a, b] = [sends[Number(one.send)], sends[Number(other.send)]]
  return a?.sender === b?.sender && a?.conversation === b?.conversation
}

function drawn<T>(draw: Draw, choices: readonly T[]): T | undefined {
  return choices.length === 0 ? undefined : draw.of(choices)
}

function drawnShown(story: Story, draw: Draw): Told | undefined {
  return drawn(
    draw,
    story.connections.flatMap(({ shown }) => shown),
  )
}

function change(told: Told | undefined, differs: Partial<Told>): Told | undefined {
  if (told) Object.assign(told, differs)
  return told
}

const everywhere = ({ readings, connections }: Story) => [
  ...readings.flatMap(({ messages }) => messages),
  ...connections.flatMap(({ shown }) => shown),
]

/** What the first reader of each conversation finds. */
function stored(story: Story): Told[] {
  return story.conversations.flatMap(
    (_, conversation) => story.readings.find((one) => one.conversation === conversation)?.messages ?? [],
  )
}

function acknowledged(story: Story): Told[] {
  return stored(story).filter(({ send }) => (story.sends[Number(send)]?.acks.length ?? 0) > 0)
}

/** Puts a message behind the last of a conversation, for all its readers. */
function append(
  story: Story,
  draw: Draw,
  send: (conversation: number, messages: readonly Told[]) => number | string,
): Told | undefined {
  const conversation = drawn(
    draw,
    story.conversations.map((_, i) => i).filter((i) => send(i, [{} as Told]) !== -1),
  )
  const whole = story.readings.filter((one) => one.conversation === conversation && one.whole !== false)
  const last = whole[0]?.messages.at(-1)
  if (conversation === undefined || !last) return undefined
  const added = { send: send(conversation, whole[0]?.messages ?? []), seq: last.seq + 1, at: last.at + 1, conversation }
  for (const { messages } of whole) messages.push({ ...added })
  return added
}
