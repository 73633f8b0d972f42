export { type GatewayConfig, gatewayConfig, readConfig } from './config.ts'
export { type Gateway, startGateway } from './service.ts'
export { type Row, surface } from './surface.ts'
