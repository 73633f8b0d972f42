import { type DestinationStream, type Logger, pino } from 'pino'

export type { Logger } from 'pino'

const REDACTED = [
  'accessToken',
  '*.accessToken',
  'headers.authorization',
  'req.headers.authorization',
  'contentStr',
  '*.contentStr',
  'text',
  '*.text',
]

/** JSON lines on stdout, or to `destination`; tokens and message bodies never appear. */
export function createLogger(service: string, level: string, destination?: DestinationStream): Logger {
  const options = { level, base: { service, pid: process.pid }, redact: { paths: REDACTED, censor: '[redacted]' } }
  return destination ? pino(options, destination) : pino(options)
}
