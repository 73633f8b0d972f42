import { spawn } from 'node:child_process'
import { BootstrapError, bootstrap } from './bootstrap.mjs'

/**
 * Prepares the repository and goes on in a TypeScript file under Node 24, with the same arguments; ends with its exit code.
 *
 * @param {{script: string, progress: (line: string) => void, lastLineOnFailure?: string}} options `script` is a path from the root;
 *   `lastLineOnFailure` is printed when there is no repository to go on in
 */
export async function handOver({ script, progress, lastLineOnFailure }) {
  try {
    const { root, node, env } = await bootstrap(progress)
    process.exitCode = await goOn(node, script, { cwd: root, env })
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error
    console.error(`\n${error.message}`)
    if (lastLineOnFailure !== undefined) console.log(`\n${lastLineOnFailure}`)
    process.exitCode = 1
  }
}

/**
 * The process gets a group of its own: in a terminal Ctrl-C reaches npm, its shell and us, and it shall come through once.
 * The channel between us tells it when we are gone.
 */
function goOn(node, script, { cwd, env }) {
  const child = spawn(node, [script, ...process.argv.slice(2)], {
    cwd,
    env,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: true,
  })
  let lastSignalAt = 0
  const pass = (signal) => {
    // npm repeats the signal the terminal has already sent us.
    const again = Date.now() - lastSignalAt < 500
    lastSignalAt = Date.now()
    if (!again) child.kill(signal)
  }
  process.on('SIGINT', pass)
  process.on('SIGTERM', pass)
  process.on('SIGHUP', pass)
  // npm that is killed outright passes nothing on: we see that it is gone, and stop unless we were asked to already.
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    if (lastSignalAt === 0) pass('SIGTERM')
  }, 500)
  watch.unref()
  if (process.env.npm_lifecycle_event === undefined) clearInterval(watch)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(signal === null ? code : 1))
  })
}
