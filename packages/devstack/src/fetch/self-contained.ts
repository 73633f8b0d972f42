import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Writes a script that runs an unpacked program with the variables it needs, its libraries above all, so that whoever starts
 * it needs to know the path only.
 *
 * @returns the script's path
 */
export async function selfContained(
  script: string,
  program: string,
  variables: Record<string, string | undefined>,
): Promise<string> {
  await mkdir(dirname(script), { recursive: true })
  const draft = `${script}.${process.pid}`
  const settings = Object.entries(variables).map(([name, value]) => `${name}='${value ?? ''}'`)
  await writeFile(draft, `#!/bin/sh\n${settings.join(' ')} exec '${program}' "$@"\n`, { mode: 0o755 })
  await rename(draft, script)
  return script
}
