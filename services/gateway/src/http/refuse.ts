import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { errors } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { languageOf } from '../calls/language.ts'
import { refusalData } from '../calls/present.ts'
import { echoOf } from './envelope.ts'

const JSON_TYPE = 'application/json; charset=utf-8'

export function sendJson(reply: FastifyReply, value: unknown): FastifyReply {
  return reply.type(JSON_TYPE).send(JSON.stringify(value))
}

/** The one funnel of everything that goes wrong on this edge: the body has seed A's shape whatever it was. */
export function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = refusalOf(error, request)
  const { status, log } = errors[refusal.code]
  const fault = log === 'error' || log === 'warn' ? { err: refusal.cause ?? refusal } : {}
  request.log[log]({ code: refusal.code, ...fault }, 'refused')
  if (refusal.code === 'RATE_LIMITED') reply.header('retry-after', retryAfterSeconds(refusal))
  const data = refusalData(refusal, languageOf(request.headers['accept-language']))
  return sendJson(reply.code(status), { headers: echoOf(request.body), data })
}

/** A body nobody could read must not hide that the path does not exist. */
function refusalOf(error: unknown, request: FastifyRequest): AppError {
  if (error instanceof AppError) return error
  if (request.is404) return new AppError('UNKNOWN_OPERATION')
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500
  if (status === 404) return new AppError('UNKNOWN_OPERATION')
  if (status === 413) return new AppError('TOO_LARGE', { cause: error })
  if (status === 415) return new AppError('UNSUPPORTED_MEDIA_TYPE', { cause: error })
  return new AppError(status >= 400 && status < 500 ? 'BAD_REQUEST' : 'INTERNAL', { cause: error })
}

function retryAfterSeconds({ details }: AppError): number {
  return Math.max(1, Math.ceil(Number(details?.retryAfterMs ?? 1000) / 1000))
}

/** What Node's parser could not read as HTTP never becomes a request: the answer is written by hand. */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy()
    return
  }
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW'
  const status = tooLarge ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
  const data = refusalData(new AppError(tooLarge ? 'TOO_LARGE' : 'BAD_REQUEST'), 'zh')
  const body = JSON.stringify({ headers: {}, data })
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `content-type: ${JSON_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
