export { type GroupServiceConfig, groupServiceConfig, readConfig } from './config.ts'
export { type GroupService, startGroupService } from './service.ts'
