import { type Logger, pino } from 'pino'

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

/** JSON lines on stdout; tokens and message bodies never appear. */
export function createLogger(service: string, level: string): Logger {
  return pino({ level, base: { service, pid: process.pid }, redact: { paths: REDACTED, censor: '[redacted]' } })
}
