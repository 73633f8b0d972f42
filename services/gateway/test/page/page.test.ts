import t from 'tap'
import { edge } from '../edge.ts'

const app = await edge({ env: { DEV_LOGIN: 'true' } })
t.teardown(() => app.close())

/** What a module imports, relative to where it was served. */
const importsOf = (source: string, path: string) =>
  [...source.matchAll(/^\s*(?:import|export)\b[^'"]*?from\s*['"]([^'"]+)['"]/gm)].map(
    ([, specifier = '']) => new URL(specifier, `http://page${path}`).pathname,
  )

t.test('the page and everything it loads is served, and comes from nowhere else', async (t) => {
  const html = await app.inject('/')
  t.match(html, { statusCode: 200, headers: { 'content-type': /^text\/html/ } })
  const waiting = [...html.body.matchAll(/(?:href|src)="(\/[^"]*)"/g)].map(([, path = '']) => path)
  const loaded = new Set<string>()
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (loaded.has(path)) continue
    loaded.add(path)
    const file = await app.inject(path)
    t.equal(file.statusCode, 200, path)
    if (path.endsWith('.css')) t.match(file.headers['content-type'], /^text\/css/)
    else {
      t.match(file.headers['content-type'], /^(text|application)\/javascript/, path)
      waiting.push(...importsOf(file.body, path))
    }
  }
  t.ok(loaded.has('/page/style.css'))
  t.ok(loaded.has('/page/main.js'))
  t.ok(loaded.has('/sdk/chat-client.ts'))
})

t.test('the SDK comes as JavaScript and brings nothing a browser has not', async (t) => {
  const { body } = await app.inject('/sdk/chat-client.ts')
  t.notMatch(body, /@qunxin|import type|: string/)
})

t.test('its security policy lets it load itself and connect', async (t) => {
  const policy = (await app.inject('/')).headers['content-security-policy'] as string
  t.match(policy, /script-src 'self'(;|$)/)
  t.match(policy, /connect-src 'self' ws: wss:/)
  t.notMatch(policy, /upgrade-insecure-requests/)
})

t.test('nothing else is served', async (t) => {
  const paths = [
    '/sdk/nothing.ts',
    '/sdk/..%2f..%2fpackage.json',
    '/sdk/%2e%2e%2fpackage.json',
    '/page/..%2fpackage.json',
  ]
  for (const path of paths) t.equal((await app.inject(path)).statusCode, 404, path)
  const plain = await edge()
  t.teardown(() => plain.close())
  for (const path of ['/', '/page/main.js', '/sdk/index.ts']) t.equal((await plain.inject(path)).statusCode, 404, path)
})
