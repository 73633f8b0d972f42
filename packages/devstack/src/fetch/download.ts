import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { SetupError } from '../progress.ts'

const IDLE_LIMIT_MS = 60_000
const ATTEMPTS = 3

export interface Downloaded {
  bytes: Buffer
  contentType: string
  url: URL
}

/** Fetches a whole file, trying three times; gives up on a connection that is silent for a minute. */
export async function download(url: URL, headers: Record<string, string> = {}): Promise<Downloaded> {
  let last: unknown
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    try {
      return await once(url, headers)
    } catch (error) {
      last = error
      if (error instanceof SetupError) break
      await sleep(1000 * attempt)
    }
  }
  if (last instanceof SetupError) throw last
  throw new SetupError(
    `Could not fetch ${url.origin}${url.pathname}: ${reason(last)}. ` +
      'Check the network (HTTPS_PROXY with NODE_USE_ENV_PROXY=1, NODE_EXTRA_CA_CERTS) or name a mirror by PIP_INDEX_URL.',
  )
}

async function once(url: URL, headers: Record<string, string>): Promise<Downloaded> {
  const silence = new AbortController()
  let timer = setTimeout(() => silence.abort(), IDLE_LIMIT_MS)
  try {
    const response = await fetch(url, { headers, signal: silence.signal })
    if (response.status >= 400 && response.status < 500) {
      throw new SetupError(
        `${url.origin}${url.pathname} answered ${response.status}. Name another index by PIP_INDEX_URL.`,
      )
    }
    if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`)
    const chunks: Uint8Array[] = []
    for await (const chunk of response.body) {
      clearTimeout(timer)
      timer = setTimeout(() => silence.abort(), IDLE_LIMIT_MS)
      chunks.push(chunk)
    }
    return {
      bytes: Buffer.concat(chunks),
      contentType: response.headers.get('content-type') ?? '',
      url: new URL(response.url === '' ? url : response.url),
    }
  } finally {
    clearTimeout(timer)
  }
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}

/** @throws SetupError when the bytes are not the ones pinned */
export function requireSha256(bytes: Uint8Array, expected: string, what: string): void {
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found === expected) return
  throw new SetupError(
    `${what} is not the file this version of the repository expects: sha256 ${found}, expected ${expected}. ` +
      'Nothing was kept. Try again; if it stays so, the index or something on the way changes files.',
  )
}
