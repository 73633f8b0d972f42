export { createMongoClient } from './client.ts'
