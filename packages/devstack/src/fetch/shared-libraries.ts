import { type Progress, SetupError } from '../progress.ts'
import { libraryFolders, unpackDebian } from './debian.ts'
import { run } from './run.ts'

/** Which package has a library: its newest name first, since releases renamed some. */
const PACKAGES: Record<string, readonly string[]> = {
  'libcurl.so.4': ['libcurl4t64', 'libcurl4'],
  'libssl.so.3': ['libssl3t64', 'libssl3'],
  'libcrypto.so.3': ['libssl3t64', 'libssl3'],
  'liblzma.so.5': ['liblzma5'],
  'libgcc_s.so.1': ['libgcc-s1'],
}

/** Names of shared libraries a program needs and the loader does not find; `glibc` when the C library itself is too old. */
export async function missingLibraries(program: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  const { output } = await run('ldd', [program], { env })
  const missing = [...output.matchAll(/^\s*(\S+) => not found/gm)].map((match) => match[1] ?? '')
  return /version `GLIBC_[\d.]+' not found/.test(output) ? ['glibc', ...missing] : missing
}

/**
 * The environment a program runs in: the one given when it finds its libraries there, else with a LD_LIBRARY_PATH into
 * unpacked packages of this system.
 *
 * @throws SetupError naming what to install
 */
export async function environmentFor(
  cache: string,
  program: { name: string; path: string; env?: NodeJS.ProcessEnv },
  progress: Progress,
): Promise<NodeJS.ProcessEnv> {
  const given = program.env ?? process.env
  if (process.platform !== 'linux') return given
  const missing = await missingLibraries(program.path, given)
  if (missing.length === 0) return given
  if (missing.includes('glibc')) {
    throw new SetupError(
      `${program.name} needs Debian 12, Ubuntu 22.04 or newer. Start Docker, or set the server's URL in the environment.`,
    )
  }
  const packages = new Map(missing.map((library) => [PACKAGES[library]?.at(-1), PACKAGES[library]]))
  const installHint = `${program.name} needs ${missing.join(', ')}. Install: apt-get install ${[...packages.keys()].filter(Boolean).join(' ')}`
  const wanted = [...packages.values()].filter((names) => names !== undefined)
  if (wanted.length < packages.size) throw new SetupError(installHint)
  const root = await unpackDebian(cache, { name: `${program.name}-libraries`, packages: wanted, installHint, progress })
  const env = withLibraries(given, root)
  if ((await missingLibraries(program.path, env)).length > 0) throw new SetupError(installHint)
  return env
}

export function withLibraries(env: NodeJS.ProcessEnv, root: string): NodeJS.ProcessEnv {
  return { ...env, LD_LIBRARY_PATH: [...libraryFolders(root), env.LD_LIBRARY_PATH].filter(Boolean).join(':') }
}
