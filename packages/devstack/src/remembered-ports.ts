import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from './ports.ts'

export interface ServerPorts {
  nats: number
  mongo: number
  redis: number
}

/** The ports of the last run when they are still free, so that addresses noted elsewhere stay right; else new ones. */
export async function rememberedPorts(dataDir: string): Promise<ServerPorts> {
  const file = join(dataDir, 'ports.json')
  const last: Partial<ServerPorts> = await readFile(file, 'utf8')
    .then(JSON.parse)
    .catch(() => ({}))
  const ports = {
    nats: await freePort(last.nats),
    mongo: await freePort(last.mongo),
    redis: await freePort(last.redis),
  }
  await mkdir(dataDir, { recursive: true })
  await writeFile(file, `${JSON.stringify(ports)}\n`)
  return ports
}
