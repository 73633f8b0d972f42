import t from 'tap'
import { memoryStores } from '../sample-stores.ts'
import { overviewsSuite } from './overviews-suite.ts'

t.test('overviews in memory', (t) => overviewsSuite(t, async () => memoryStores()))
