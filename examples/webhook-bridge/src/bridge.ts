import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from './config.ts'
import { connectNats, openConsumer, streamCreated } from './consumer.ts'
import { Delivery } from './delivery.ts'
import { InHand } from './in-hand.ts'
import { log } from './log.ts'

const RETRY_MS = 1_000

/**
 * Carries facts from the stream to the webhook, batch by batch: the next one leaves when the one before has been taken, or
 * given up and written down. Only then are its events acknowledged, so a kill at any moment loses nothing.
 *
 * Resolves when `signal` is aborted and what was under way is finished or given back.
 */
export async function runBridge(config: Config, signal: AbortSignal): Promise<void> {
  const failed = new AbortController()
  const over = AbortSignal.any([signal, failed.signal])
  const nats = await connectNats(config.NATS_URL, over)
  const inHand = new InHand()
  over.addEventListener('abort', () => inHand.close())
  const heartbeat = setInterval(() => inHand.working(), config.ACK_WAIT_MS / 3)
  const delivery = new Delivery(config, inHand)
  const receiving = receive()
  try {
    while (!over.aborted) {
      await inHand.some()
      // What comes in this moment goes with it.
      if (inHand.size < config.IN_HAND) await delay(config.BATCH_WAIT_MS, undefined, { signal: over })
      await delivery.next(over)
    }
  } catch (error) {
    if (!over.aborted) throw error
  } finally {
    failed.abort()
    clearInterval(heartbeat)
    await receiving
    inHand.giveBack()
    // What was acknowledged or given back leaves before the connection closes.
    await nats.drain()
  }

  /** Keeps events coming. When the stream or the consumer is not there, it is made again. */
  async function receive(): Promise<void> {
    while (!over.aborted) {
      try {
        const place = inHand.readFrom(await streamCreated(nats, config.STREAM))
        const consumer = await openConsumer(nats, config, place)
        const { num_ack_pending, delivered } = await consumer.info()
        inHand.expect(num_ack_pending, delivered.stream_seq, config.ACK_WAIT_MS + RETRY_MS)
        const messages = await consumer.consume({
          max_messages: config.IN_HAND,
          callback: (event) => inHand.add(event),
          abort_on_missing_resource: true,
        })
        const close = () => void messages.close()
        over.addEventListener('abort', close, { once: true })
        if (over.aborted) close()
        log('consuming', { stream: config.STREAM, subjects: config.SUBJECTS })
        const fault = await messages.closed()
        over.removeEventListener('abort', close)
        if (fault) throw fault
      } catch (error) {
        if (!over.aborted) log('the stream cannot be read, trying again', { reason: String(error) })
      }
      await delay(RETRY_MS, undefined, { signal: over }).catch(() => {})
    }
  }
}
