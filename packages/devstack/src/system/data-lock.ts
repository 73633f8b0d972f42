import { readFileSync } from 'node:fs'
import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SetupError } from '../progress.ts'

/**
 * Keeps a second system off the same data.
 *
 * @returns a function that releases it
 * @throws SetupError naming the process that has it
 */
export async function lockData(dataDir: string): Promise<() => Promise<void>> {
  const file = join(dataDir, 'lock')
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      const handle = await open(file, 'wx')
      await handle.writeFile(`${process.pid} ${startedAt(process.pid) ?? ''}\n`)
      await handle.close()
      return () => rm(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const [pid = '', since = ''] = (await readFile(file, 'utf8').catch(() => '')).trim().split(' ')
      if (lives(Number(pid), since)) {
        throw new SetupError(
          `Process ${pid} already runs the system with the data in ${dataDir}. Stop it, or set another DATA_DIR and PORT for a second one.`,
        )
      }
      await rm(file, { force: true }) // left behind by a process that was killed
    }
  }
  throw new SetupError(`Could not lock ${file}. Is another start under way?`)
}

function lives(pid: number, since: string): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  // The number may belong to another process by now.
  const now = startedAt(pid)
  return now === undefined || since === '' || now === since
}

/** When a process started, in the kernel's ticks since boot; undefined where there is no /proc. */
function startedAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
