import { setTimeout as delay } from 'node:timers/promises'
import type { ChatClient } from '@qunxin/client'

/** What one connection sends into one conversation. */
export interface Stream {
  name: string
  client: ChatClient
  to: { to: string } | { group: string }
}

export interface Sent {
  stream: Stream
  /** Counts up within the stream. */
  number: number
  msgId: string
  /** Of the acknowledgement. */
  seq: number
}

export interface Traffic {
  readonly acknowledged: Sent[]
  readonly refused: unknown[]
  readonly sent: number
  /** Sends no more, and resolves when everything sent has its outcome. */
  stop(): Promise<void>
}

const TICK_MS = 20

/** Open loop: so many sends a second in all, round the streams, whatever becomes of those before. */
export function startTraffic(streams: readonly Stream[], perSecond: number): Traffic {
  const acknowledged: Sent[] = []
  const refused: unknown[] = []
  const outcomes: Promise<void>[] = []
  const numbers = new Map<Stream, number>()
  let next = 0

  const sendOne = async (stream: Stream) => {
    const number = numbers.get(stream) ?? 0
    numbers.set(stream, number + 1)
    const msgId = `${stream.name}-${number}`
    try {
      const { seq } = await stream.client.send({ ...stream.to, text: msgId, msgId })
      acknowledged.push({ stream, number, msgId, seq })
    } catch (error) {
      refused.push(error)
    }
  }

  let stopped = false
  const loop = async () => {
    const started = performance.now()
    let sent = 0
    while (!stopped) {
      const due = ((performance.now() - started) / 1_000) * perSecond
      for (; sent < due; sent++) outcomes.push(sendOne(streams[next++ % streams.length] as Stream))
      await delay(TICK_MS)
    }
  }
  const looping = loop()

  return {
    acknowledged,
    refused,
    get sent() {
      return outcomes.length
    },
    async stop() {
      stopped = true
      await looping
      await Promise.all(outcomes)
    },
  }
}
