import { SetupError } from '../src/progress.ts'
import { mintTokens } from '../src/system/dev-tokens.ts'
import { readSettings } from '../src/system/settings.ts'
import { type System, startSystem } from '../src/system/system.ts'
import { welcome } from '../src/system/welcome.ts'

const say = (line: string) => console.log(line)
const starting = new AbortController()
let system: System | undefined
let asked = false

/** The first signal stops in order, a second one at once: the kernel or the next start clears what is left. */
function stopOrdered(): void {
  if (asked) process.exit(130)
  asked = true
  starting.abort()
  if (system === undefined) return
  say('\n· stopping: gateways, services, then the servers')
  void system.stop().then(
    () => {
      say('· everything is stopped, all ports are free')
      process.exit(0)
    },
    (error) => {
      console.error(error)
      process.exit(1)
    },
  )
}

process.on('SIGINT', stopOrdered)
process.on('SIGTERM', stopOrdered)
process.on('SIGHUP', stopOrdered)
// The process npm knows was killed: nobody is left to stop us.
process.once('disconnect', stopOrdered)

try {
  const settings = readSettings(process.env)
  system = await startSystem({ ...settings, progress: (line) => say(`· ${line}`), signal: starting.signal })
  starting.signal.throwIfAborted()
  const [sender, receiver] = await mintTokens(system.gateways[0]?.url ?? '', ['1000221', '1000222'])
  if (sender && receiver) say(welcome(system, [sender, receiver], process.cwd()))
} catch (error) {
  await system?.stop()
  if (asked) {
    say('· stopped while starting')
    process.exit(130)
  }
  console.error(error instanceof SetupError ? `\n${error.message}` : error)
  process.exit(1)
}
