import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { findOnPath } from '../find-on-path.ts'
import { type Progress, SetupError } from '../progress.ts'
import { run } from './run.ts'

/**
 * Fetches Debian or Ubuntu packages with all they need and unpacks them into a folder of the cache. Nothing is installed:
 * apt works on lists and archives of its own in the cache, so this needs no root, and no service is started by a package.
 *
 * @returns the folder that stands for `/`
 * @throws SetupError naming `installHint` when there is no apt or it fails
 */
export async function unpackDebian(
  cache: string,
  options: { name: string; packages: readonly string[]; installHint: string; progress: Progress },
): Promise<string> {
  const { name, packages, installHint, progress } = options
  const root = join(cache, 'debian', name)
  if (await hasFiles(root)) return root
  if (findOnPath('apt-get') === undefined || findOnPath('dpkg-deb') === undefined) throw new SetupError(installHint)

  const apt = join(cache, 'debian', '.apt')
  await mkdir(join(apt, 'lists', 'partial'), { recursive: true })
  await mkdir(join(apt, 'archives', 'partial'), { recursive: true })
  progress(`fetching ${packages.join(', ')} from this system's package source (once, into .cache)`)
  const aptGet = (...args: string[]) => run('apt-get', [...privateState(apt), ...args])
  const updated = await aptGet('update')
  // Only what this system lacks is fetched; a package that is installed has its libraries where the loader looks.
  const fetched = await aptGet('install', '--download-only', '--yes', '--no-install-recommends', ...packages)
  if (!fetched.ok) {
    throw new SetupError(
      `${installHint}\napt-get could not fetch ${packages.join(', ')}:\n${lastOf(`${updated.output}\n${fetched.output}`)}`,
    )
  }
  const draft = `${root}.${process.pid}`
  await mkdir(draft, { recursive: true })
  for (const archive of await readdir(join(apt, 'archives'))) {
    if (!archive.endsWith('.deb')) continue
    const unpacked = await run('dpkg-deb', ['--extract', join(apt, 'archives', archive), draft])
    if (!unpacked.ok) throw new SetupError(`Could not unpack ${archive}: ${unpacked.output}`)
  }
  await rename(draft, root).catch(async () => rm(draft, { recursive: true, force: true }))
  await rm(join(apt, 'archives'), { recursive: true, force: true })
  return root
}

function privateState(folder: string): string[] {
  const settings = [
    `Dir::State::lists=${join(folder, 'lists')}`,
    `Dir::Cache=${folder}`,
    `Dir::Cache::archives=${join(folder, 'archives')}`,
    'Debug::NoLocking=true',
    'Dpkg::Use-Pty=0',
    'Acquire::Retries=3',
    'APT::Get::AllowUnauthenticated=false',
    ...(process.getuid?.() === 0 ? ['APT::Sandbox::User=root'] : []),
  ]
  return settings.flatMap((setting) => ['-o', setting])
}

/** Where the loader finds the libraries of unpacked packages. */
export function libraryFolders(root: string): string[] {
  return [
    'usr/lib/x86_64-linux-gnu',
    'lib/x86_64-linux-gnu',
    'usr/lib/aarch64-linux-gnu',
    'lib/aarch64-linux-gnu',
    'usr/lib',
  ].map((folder) => join(root, folder))
}

async function hasFiles(folder: string): Promise<boolean> {
  return readdir(folder).then(
    (names) => names.length > 0,
    () => false,
  )
}

function lastOf(output: string): string {
  return output.trim().split('\n').slice(-6).join('\n')
}
