import { type Progress, SetupError } from '../progress.ts'
import { libraryFolders, unpackDebian } from './debian.ts'
import { run } from './run.ts'

/** Which package has a library; newer releases renamed some, so several names are tried in this order. */
const PACKAGES: Record<string, readonly string[]> = {
  'libcurl.so.4': ['libcurl4t64', 'libcurl4'],
  'libssl.so.3': ['libssl3t64', 'libssl3'],
  'libcrypto.so.3': ['libssl3t64', 'libssl3'],
  'liblzma.so.5': ['liblzma5'],
  'libgcc_s.so.1': ['libgcc-s1'],
}

/** Names of shared libraries a program needs and the loader does not find, and whether the C library itself is too old. */
export async function missingLibraries(program: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  const { output } = await run('ldd', [program], { env })
  const missing = [...output.matchAll(/^\s*(\S+) => not found/gm)].map((match) => match[1] ?? '')
  return /version `GLIBC_[\d.]+' not found/.test(output) ? ['glibc', ...missing] : missing
}

/**
 * The environment a program runs in: the one given when it finds its libraries there, else with a LD_LIBRARY_PATH into
 * unpacked packages of this system.
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
  const known = missing.map((library) => PACKAGES[library] ?? [])
  const hint = `${program.name} needs ${missing.join(', ')}. Install: apt-get install ${[...new Set(known.map((names) => names.at(-1)))].filter(Boolean).join(' ')}`
  if (known.some((names) => names.length === 0)) throw new SetupError(hint)
  const root = await unpackFirstKnown(cache, program.name, known, { hint, progress })
  const env = withLibraries(given, root)
  const still = await missingLibraries(program.path, env)
  if (still.length > 0) throw new SetupError(hint)
  return env
}

export function withLibraries(env: NodeJS.ProcessEnv, root: string): NodeJS.ProcessEnv {
  return { ...env, LD_LIBRARY_PATH: [...libraryFolders(root), env.LD_LIBRARY_PATH].filter(Boolean).join(':') }
}

async function unpackFirstKnown(
  cache: string,
  name: string,
  wanted: readonly (readonly string[])[],
  told: { hint: string; progress: Progress },
): Promise<string> {
  const variants = [wanted.map((names) => names[0]), wanted.map((names) => names.at(-1))]
  let last: unknown
  for (const variant of variants) {
    const packages = [...new Set(variant)].filter((pkg) => pkg !== undefined)
    try {
      return await unpackDebian(cache, {
        name: `${name}-libraries`,
        packages,
        installHint: told.hint,
        progress: told.progress,
      })
    } catch (error) {
      last = error
    }
  }
  throw last
}
