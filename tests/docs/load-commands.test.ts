import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readOptions } from '../load/options.ts'
import { readPerformanceOptions } from '../load/performance/command.ts'
import { performanceRows } from '../load/performance/rows.ts'
import { readTableOptions } from '../load/table.ts'

const DOCS = join(import.meta.dirname, '..', '..', 'docs')
const page = (name: string) => readFileSync(join(DOCS, name), 'utf8')

function read(command: string): unknown {
  const [name = '', ...rest] = command.trim().split(/ +/)
  if (name === 'table') return readTableOptions(rest)
  return name === 'performance' ? readPerformanceOptions(rest) : readOptions([name, ...rest])
}

for (const name of ['reliability.md', 'performance.md'])
  t.test(`every load command of ${name} is one`, async (t) => {
    const text = page(name)
    const commands = [...text.matchAll(/^pnpm load (.+?)(?: +#.*)?$/gm), ...text.matchAll(/`pnpm load ([^`<]+)`/g)]
    t.ok(commands.length > 5)
    for (const [, command = ''] of commands) t.doesNotThrow(() => read(command), command)
  })

t.test('the performance page has every row, and a place for the next measurement', async (t) => {
  const text = page('performance.md')
  t.match(text, /<!-- measured -->\n[\s\S]*<!-- end -->/)
  for (const { name } of performanceRows) t.ok(text.includes(`\`pnpm load performance --row ${name}\``), name)
})
