import { setTimeout as delay } from 'node:timers/promises'
import {
  AckPolicy,
  type Consumer,
  DeliverPolicy,
  JetStreamApiError,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream'
import { connect, type NatsConnection, nanos } from '@nats-io/transport-node'
import type { Config } from './config.ts'
import { log } from './log.ts'

const CONSUMER_NOT_FOUND = 10_014
const RETRY_MS = 1_000

/**
 * Connects as the user `integration`, and again for ever when the connection breaks.
 *
 * @throws when `signal` is aborted before that
 */
export async function connectNats(url: string, signal: AbortSignal): Promise<NatsConnection> {
  const { host, username, password } = new URL(url)
  const options = {
    servers: host,
    ...(username && { user: decodeURIComponent(username), pass: decodeURIComponent(password) }),
    name: 'webhook-bridge',
    // By default it gives up after ten tries, and for good at the second refusal.
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
  }
  for (;;) {
    try {
      return await connect(options)
    } catch (error) {
      log('NATS is not there, trying again', { reason: String(error) })
      await delay(RETRY_MS, undefined, { signal })
    }
  }
}

type Settings = Pick<Config, 'STREAM' | 'CONSUMER' | 'SUBJECTS' | 'START' | 'ACK_WAIT_MS' | 'IN_HAND'>

/** When the stream was made: one that was removed and made again is another one. */
export async function streamCreated(nats: NatsConnection, stream: string): Promise<string> {
  const { streams } = await jetstreamManager(nats)
  return (await streams.info(stream)).created
}

/**
 * The durable consumer, whose place in the stream NATS keeps: made when it is not there, brought up to date when it is. One that
 * is made goes on at `place`, when that is known.
 */
export async function openConsumer(nats: NatsConnection, settings: Settings, place?: number): Promise<Consumer> {
  const { STREAM, CONSUMER, SUBJECTS, START, ACK_WAIT_MS, IN_HAND } = settings
  const manager = await jetstreamManager(nats)
  const adjustable = { filter_subjects: SUBJECTS, ack_wait: nanos(ACK_WAIT_MS), max_ack_pending: IN_HAND }
  if (await exists(manager, STREAM, CONSUMER)) await manager.consumers.update(STREAM, CONSUMER, adjustable)
  else
    await manager.consumers.add(STREAM, {
      durable_name: CONSUMER,
      ack_policy: AckPolicy.Explicit,
      ...(place === undefined
        ? { deliver_policy: START === 'all' ? DeliverPolicy.All : DeliverPolicy.New }
        : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: place }),
      ...adjustable,
    })
  return jetstream(nats).consumers.get(STREAM, CONSUMER)
}

async function exists({ consumers }: JetStreamManager, stream: string, name: string): Promise<boolean> {
  try {
    await consumers.info(stream, name)
    return true
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === CONSUMER_NOT_FOUND) return false
    throw error
  }
}
