import t from 'tap'
import { resultJson } from './json.ts'
import { sampleResult } from './sample.ts'

t.test('the JSON holds the whole result, an entry of the timeline on each line', async (t) => {
  const result = sampleResult()
  const text = resultJson(result)
  t.strictSame(JSON.parse(text), JSON.parse(JSON.stringify(result)))
  t.equal(
    text.split('\n').filter((line) => line.startsWith('    {"at":')).length,
    result.timeline.length + result.faults.length,
  )
})

t.test('what is not there is left out', async (t) => {
  t.notOk('bounds' in JSON.parse(resultJson(sampleResult())))
})
