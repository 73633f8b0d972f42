export type { Msg, Subscription } from '@nats-io/transport-node'
export { actorOf } from './actor.ts'
export { Bus, type BusOptions, connectBus, MAX_IN_FLIGHT, type RequestOptions } from './bus.ts'
export {
  EventsStream,
  type EventsStreamOptions,
  eventsStreamName,
  type KnownStream,
  PUBLISHED_AGAIN_MS,
} from './events-stream.ts'
export { Live } from './liveness.ts'
export type { AnyHandler, CallContext, HandlersOf } from './serve.ts'
