import { globSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { findOnPath } from '../find-on-path.ts'
import { type Progress, SetupError } from '../progress.ts'
import { run } from './run.ts'

export interface DebianPackages {
  /** Names the folder in the cache. */
  name: string
  /** For each package its names, since releases renamed some: the first one this system knows is taken. */
  packages: readonly (readonly string[])[]
  /** Shown when it cannot be done. */
  installHint: string
  progress: Progress
}

/**
 * Fetches Debian or Ubuntu packages with all they need and unpacks them into a folder of the cache. Nothing is installed:
 * apt works on lists and archives of its own in the cache, so this needs no root, and no service is started by a package.
 *
 * @returns the folder that stands for `/`
 */
export function unpackDebian(cache: string, wanted: DebianPackages): Promise<string> {
  // One at a time: they share apt's lists and its folder of archives.
  const turn = last.then(() => unpack(cache, wanted))
  last = turn.catch(() => {})
  return turn
}

let last: Promise<unknown> = Promise.resolve()

async function unpack(cache: string, { name, packages, installHint, progress }: DebianPackages): Promise<string> {
  const root = join(cache, 'debian', name)
  if ((await namesIn(root)).length > 0) return root
  if (findOnPath('apt-get') === undefined || findOnPath('dpkg-deb') === undefined) throw new SetupError(installHint)

  const apt = join(cache, 'debian', '.apt')
  const archives = join(apt, 'archives')
  await mkdir(join(apt, 'lists', 'partial'), { recursive: true })
  await rm(archives, { recursive: true, force: true })
  await mkdir(join(archives, 'partial'), { recursive: true })
  progress(
    `fetching ${packages.map((names) => names.at(-1)).join(', ')} from this system's package source (once, into .cache)`,
  )
  const settings = privateState(apt)
  const updated = await run('apt-get', [...settings, 'update'])
  const known = await Promise.all(packages.map((names) => knownName(names, settings)))
  // Only what this system lacks is fetched; what is installed has its libraries where the loader looks.
  const fetched = await run('apt-get', [
    ...settings,
    'install',
    '--download-only',
    '--yes',
    '--no-install-recommends',
    ...known,
  ])
  if (!fetched.ok) {
    const said = `${updated.output}\n${fetched.output}`.trim().split('\n').slice(-6).join('\n')
    throw new SetupError(`${installHint}\napt-get could not fetch ${known.join(', ')}:\n${said}`)
  }
  const draft = `${root}.${process.pid}`
  await mkdir(draft, { recursive: true })
  for (const archive of await namesIn(archives)) {
    if (!archive.endsWith('.deb')) continue
    const unpacked = await run('dpkg-deb', ['--extract', join(archives, archive), draft])
    if (!unpacked.ok) throw new SetupError(`Could not unpack ${archive}: ${unpacked.output}`)
  }
  await rename(draft, root).catch(() => rm(draft, { recursive: true, force: true }))
  await rm(archives, { recursive: true, force: true })
  return root
}

async function knownName(names: readonly string[], settings: readonly string[]): Promise<string> {
  for (const name of names.slice(0, -1)) {
    if ((await run('apt-cache', [...settings, 'show', name])).ok) return name
  }
  return names.at(-1) ?? ''
}

function privateState(folder: string): string[] {
  const settings = [
    `Dir::State::lists=${join(folder, 'lists')}`,
    `Dir::Cache=${folder}`,
    `Dir::Cache::archives=${join(folder, 'archives')}`,
    'Debug::NoLocking=true',
    'Dpkg::Use-Pty=0',
    'Acquire::Retries=3',
    ...(process.getuid?.() === 0 ? ['APT::Sandbox::User=root'] : []),
  ]
  return settings.flatMap((setting) => ['-o', setting])
}

/** Where the loader finds the libraries of unpacked packages; some packages keep theirs in a folder of their own. */
export function libraryFolders(root: string): string[] {
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'
  const folders = [`usr/lib/${triplet}`, `lib/${triplet}`, 'usr/lib'].map((folder) => join(root, folder))
  const inside = globSync(folders.map((folder) => join(folder, '*', 'lib*.so*'))).map((library) => dirname(library))
  return [...new Set([...folders, ...inside])]
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}
