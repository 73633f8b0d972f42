import { createLogger, loadConfig, runUntilSignal } from '@qunxin/runtime'
import { configSchema } from './config.ts'
import { startMessageService } from './service.ts'

try {
  const config = loadConfig(configSchema, process.env)
  const logger = createLogger('message-service', config.LOG_LEVEL)
  process.exit(
    await runUntilSignal((signal) => startMessageService(config, { logger, signal }), {
      logger,
      drainTimeoutMs: config.DRAIN_TIMEOUT_MS,
    }),
  )
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
