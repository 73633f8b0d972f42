import { createLogger, runUntilSignal } from '@qunxin/runtime'
import { readConfig } from './config.ts'
import { startGroupService } from './service.ts'

try {
  const config = readConfig(process.env)
  const logger = createLogger('group-service', config.LOG_LEVEL)
  process.exitCode = await runUntilSignal((signal) => startGroupService(config, { logger, signal }), {
    logger,
    drainTimeoutMs: config.DRAIN_TIMEOUT_MS,
  })
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}
process.exit()
