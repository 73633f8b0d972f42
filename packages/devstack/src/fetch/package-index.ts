import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const PUBLIC_INDEX = 'https://pypi.org/simple'

type Environment = Record<string, string | undefined>

/** The index pip would use: PIP_INDEX_URL, then pip's configuration files, then the public one. */
export function packageIndex(env: Environment = process.env, files = pipConfigFiles(env)): string {
  if (env.PIP_INDEX_URL) return env.PIP_INDEX_URL
  for (const file of files) {
    const url = indexUrlIn(file)
    if (url !== undefined) return url
  }
  return PUBLIC_INDEX
}

function pipConfigFiles(env: Environment): string[] {
  const home = homedir()
  const own = [join(home, '.config', 'pip', 'pip.conf'), join(home, '.pip', 'pip.conf'), '/etc/pip.conf']
  return env.PIP_CONFIG_FILE ? [env.PIP_CONFIG_FILE, ...own] : own
}

function indexUrlIn(file: string): string | undefined {
  try {
    return /^\s*index[-_]url\s*=\s*(\S+)/m.exec(readFileSync(file, 'utf8'))?.[1]
  } catch {
    return undefined
  }
}

/** Takes user and password out of a URL, since fetch refuses such URLs, and gives them as a header. */
export function withoutCredentials(url: string): { url: URL; headers: Record<string, string> } {
  const parsed = new URL(url)
  const { username, password } = parsed
  if (username === '') return { url: parsed, headers: {} }
  parsed.username = ''
  parsed.password = ''
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { url: parsed, headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } }
}

/** Finds a file's address in an answer of the simple API, which is JSON or, from older mirrors, HTML. */
export function fileAddress(page: { body: string; contentType: string; url: URL }, filename: string): URL | undefined {
  const hrefs = page.contentType.includes('json')
    ? (JSON.parse(page.body) as { files: { url: string }[] }).files.map((file) => file.url)
    : [...page.body.matchAll(/href\s*=\s*["']([^"']+)["']/gi)].map((match) => (match[1] ?? '').replaceAll('&amp;', '&'))
  for (const href of hrefs) {
    const url = new URL(href, page.url)
    if (decodeURIComponent(url.pathname).endsWith(`/${filename}`)) return url
  }
  return undefined
}
