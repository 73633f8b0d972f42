import t from 'tap'
import { MemoryGroupStore } from '../../src/store/memory/memory-group-store.ts'
import { MemoryOutbox } from '../../src/store/memory/memory-outbox.ts'
import { MemoryUserStore } from '../../src/store/memory/memory-user-store.ts'
import { groupStoreContract } from './group-store-contract.ts'
import { userStoreContract } from './user-store-contract.ts'

groupStoreContract(t, async () => {
  const outbox = new MemoryOutbox()
  return { groups: new MemoryGroupStore(outbox), outbox }
})
userStoreContract(t, async () => new MemoryUserStore())
