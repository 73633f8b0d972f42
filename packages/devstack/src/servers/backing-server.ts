import type { Progress } from '../progress.ts'
import type { Supervised } from '../supervise.ts'

/** One running NATS, MongoDB or Redis, wherever it came from. */
export interface BackingServer {
  name: 'mongod' | 'nats-server' | 'redis-server'
  /** 0 when the process is not ours: given by URL or in a container. It changes when the server had to be started again. */
  readonly pid: number
  /** Without credentials, unless the URL came from outside. */
  url: string
  /** Where it came from, for the line that says it is ready. */
  origin: string
  /** Absent when the process is not ours. A restart keeps port and data, but for Redis, which keeps none. */
  handle?: Pick<Supervised, 'kill' | 'pause' | 'resume' | 'restart'>
  stop(): Promise<void>
}

export interface ServerOptions {
  /** A folder of the server's own, which exists. */
  dataDir: string
  logDir: string
  /** Downloaded programs. */
  cache: string
  port: number
  /** True when data in containers must be there at the next start as well. */
  durable: boolean
  progress: Progress
  onSpawn?: (() => void) | undefined
  restartWithinMs?: number | undefined
  signal?: AbortSignal | undefined
}
