import { MAX_IN_FLIGHT } from '@qunxin/bus'
import t from 'tap'
import { createReadGates } from '../src/handlers.ts'

t.test('however many reads wait, there is room for sends', async (t) => {
  const waiting = Object.values(createReadGates()).reduce((sum, { capacity }) => sum + capacity, 0)
  t.ok(waiting <= 0.9 * MAX_IN_FLIGHT, `${waiting} of ${MAX_IN_FLIGHT}`)
})
