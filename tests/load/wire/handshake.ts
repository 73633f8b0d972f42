import { createHash } from 'node:crypto'

/** Of every connection: it keeps caches apart, and a gateway is none. */
const KEY = Buffer.from('qunxin load test').toString('base64')
const ACCEPTED = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
const END = '\r\n\r\n'
const LONGEST = 16 * 1024
/** The answer that was found good last: a gateway's are all the same, so the next one is only compared. */
let good = Buffer.alloc(0)

/** The request for a WebSocket at that address. */
export function handshakeOf(host: string, path: string): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
  ]
  return lines.join('\r\n') + END
}

/**
 * Where frames begin behind the answer; undefined as long as it is not all there.
 *
 * @throws Error saying what came instead of a WebSocket
 */
export function handshakeEnd(answer: Buffer): number | undefined {
  if (good.length > 0 && answer.subarray(0, good.length).equals(good)) return good.length
  const end = answer.indexOf(END)
  if (end < 0 && answer.length < LONGEST) return undefined
  const [status = '', ...headers] = answer.toString('latin1', 0, end < 0 ? LONGEST : end).split('\r\n')
  if (!status.startsWith('HTTP/1.1 101')) throw new Error(`answered ${status}`)
  const accept = headers.find((header) => /^sec-websocket-accept:/i.test(header))
  if (accept?.slice(accept.indexOf(':') + 1).trim() !== ACCEPTED) throw new Error('answered with another key')
  good = Buffer.from(answer.subarray(0, end + END.length))
  return good.length
}
