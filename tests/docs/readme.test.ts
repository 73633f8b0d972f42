import { spawn } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import t from 'tap'
import { testSystem } from '../system.ts'
import { type Snippet, snippetsOf } from './snippets.ts'

const LIMIT_MS = 30_000
const readme = await readFile(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8')
// Of its own: the examples use the subjects of a plain installation, as the integration user.
const { system, urls } = await testSystem(t, { ownServers: true, gateways: 1 })
const url = urls[0] ?? ''

/** What each example of the README prints when it works. */
const printed: Record<string, RegExp> = {
  sdk: /^stored as number 1: Noodles\?\n$/,
  socket: /"tag":"bound"[\s\S]*"tag":"messageAck".*"seq":\d+.*"state":1/,
  http: /"success":true,"info":"获取群列表成功","groupList":\[.*"groupName":"Lunch"/,
  nats: /ok: true, result: \{ groupId: '\d+' \}[\s\S]*im\.event\.group\.created \{/,
}

t.test('every example of the README has a test', async (t) => {
  t.strictSame(
    snippetsOf(readme).map(({ name }) => name),
    Object.keys(printed),
  )
})

for (const snippet of snippetsOf(readme)) {
  t.test(`the README's example "${snippet.name}" works as it stands`, async (t) => {
    const { output, exitCode } = await run({ ...snippet, code: moved(snippet.code) })
    t.match(output, printed[snippet.name])
    t.equal(exitCode, 0, output)
  })
}

/** The examples name the ports and the file of `npm start`; here the system runs elsewhere. */
function moved(code: string): string {
  return code
    .replaceAll('http://127.0.0.1:8080', url)
    .replaceAll('ws://127.0.0.1:8080', url.replace('http', 'ws'))
    .replaceAll('.data/run.json', system.runFile)
}

/** Runs it where the README says: below tests/, whose package knows the SDK and the NATS client. */
async function run({ name, language, code }: Snippet): Promise<{ output: string; exitCode: number | null }> {
  const file = join(import.meta.dirname, `.${name}-${process.pid}.${language === 'js' ? 'mjs' : 'sh'}`)
  await writeFile(file, code)
  // The stand-in is behind everything else: a machine's own curl comes first.
  const path = [dirname(process.execPath), process.env.PATH, join(import.meta.dirname, 'stand-in')].join(delimiter)
  const env = { ...process.env, PATH: path }
  const child = spawn(language === 'js' ? process.execPath : 'sh', [file], { timeout: LIMIT_MS, env })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk))
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (exitCode) => resolve({ output, exitCode }))
    })
  } finally {
    await rm(file)
  }
}
