import t from 'tap'
import { createMemoryPresence } from '../src/index.ts'
import { presenceContract } from './contract/presence-contract.ts'

presenceContract(t, async () => {
  const memory = createMemoryPresence()
  return {
    gateway: async (node, options) => memory.registry(node, options),
    reader: () => memory.routes(),
    kill: async (node) => memory.kill(node),
  }
})
