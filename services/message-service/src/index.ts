export { type Config, configSchema } from './config.ts'
export { type MessageService, startMessageService } from './service.ts'
