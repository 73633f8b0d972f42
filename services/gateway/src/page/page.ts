import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'
import statics from '@fastify/static'
import { AppError } from '@qunxin/runtime'
import type { FastifyInstance } from 'fastify'

const FILES = new URL('../../page/', import.meta.url)

/**
 * Development only: `/` is a page to try the system with, `/sdk/` the client SDK it uses. The SDK's sources are served as they
 * are, without their types: it imports values from itself only, so a browser needs nothing else.
 */
export async function registerPage(app: FastifyInstance): Promise<void> {
  const sdk = new URL('.', import.meta.resolve('@qunxin/client'))
  await app.register(statics, { root: fileURLToPath(FILES), prefix: '/page/', cacheControl: false })
  app.get('/', (_request, reply) => reply.sendFile('index.html'))
  app.get<{ Params: { file: string } }>('/sdk/:file', async (request, reply) => {
    const { file } = request.params
    if (!/^[a-z-]+\.ts$/.test(file)) throw new AppError('UNKNOWN_OPERATION')
    const source = await readFile(new URL(file, sdk), 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new AppError('UNKNOWN_OPERATION') : error
    })
    return reply.type('text/javascript; charset=utf-8').send(stripTypeScriptTypes(source))
  })
}
