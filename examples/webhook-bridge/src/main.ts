import { runBridge } from './bridge.ts'
import { readConfig } from './config.ts'
import { log } from './log.ts'

const stop = new AbortController()
for (const name of ['SIGTERM', 'SIGINT'] as const)
  process.once(name, () => {
    log('stopping', { signal: name })
    stop.abort()
  })

try {
  await runBridge(readConfig(process.env), stop.signal)
  log('stopped')
} catch (error) {
  log('failed', { reason: error instanceof Error ? error.message : String(error) })
  process.exitCode = 1
}
