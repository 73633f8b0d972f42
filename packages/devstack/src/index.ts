export { type Devstack, type DevstackOptions, startDevstack } from './devstack.ts'
export { freePort } from './ports.ts'
export { type Progress, SetupError } from './progress.ts'
export type { NatsUser } from './servers/nats.ts'
