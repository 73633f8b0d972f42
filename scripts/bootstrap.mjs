// Plain JavaScript without dependencies: it runs on the Node it finds, before there is anything else.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cp, mkdir, rename, rm } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const CACHE = join(ROOT, '.cache')
const TOOLCHAIN = join(ROOT, 'scripts', 'toolchain')
const NODE_WANTED = 24
const NODE_NEEDED = 20

export class BootstrapError extends Error {}

/**
 * Gets Node 24, pnpm and the locked dependencies into ignored folders.
 *
 * @param {(line: string) => void} progress
 * @returns {Promise<{root: string, node: string, env: NodeJS.ProcessEnv}>} the Node to go on with, and its environment
 */
export async function bootstrap(progress) {
  const major = Number(process.versions.node.split('.')[0])
  if (major < NODE_NEEDED) {
    throw new BootstrapError(
      `Node ${NODE_NEEDED} or newer is needed to begin with; this is ${process.version}. See https://nodejs.org`,
    )
  }
  const tools = await toolchain(major, progress)
  const node = major >= NODE_WANTED ? process.execPath : join(tools, nodePackage(), 'bin', 'node')
  const env = { ...process.env, ...proxySettings(), PATH: [dirname(node), process.env.PATH].join(delimiter) }
  await dependencies({ node, pnpm: join(tools, 'pnpm', 'bin', 'pnpm.mjs'), env, progress })
  return { root: ROOT, node, env }
}

/** Node uses a proxy only when told to; what runs on this machine is never behind it. */
function proxySettings() {
  const { HTTPS_PROXY, https_proxy, NO_PROXY, no_proxy } = process.env
  if (!(HTTPS_PROXY || https_proxy)) return {}
  return {
    NODE_USE_ENV_PROXY: '1',
    NO_PROXY: [NO_PROXY || no_proxy, '127.0.0.1', 'localhost'].filter(Boolean).join(','),
  }
}

function nodePackage() {
  return `node-${process.platform}-${process.arch}`
}

/** Installs the pinned tools beside their lock file's hash, so that another version never meets the leftovers of this one. */
async function toolchain(major, progress) {
  const lock = readFileSync(join(TOOLCHAIN, 'package-lock.json'))
  const withNode = major < NODE_WANTED
  if (withNode && !lock.includes(`"node_modules/${nodePackage()}"`)) {
    throw new BootstrapError(
      `No Node ${NODE_WANTED} for ${process.platform} ${process.arch} can be fetched from here. Install it from https://nodejs.org and try again.`,
    )
  }
  const folder = join(CACHE, `toolchain-${hash(lock)}${withNode ? '' : '-pnpm'}`)
  if (existsSync(folder)) return join(folder, 'node_modules')
  progress(withNode ? `fetching Node ${NODE_WANTED} and pnpm (once, into .cache)` : 'fetching pnpm (once, into .cache)')
  const draft = `${folder}.${process.pid}`
  await mkdir(draft, { recursive: true })
  await cp(TOOLCHAIN, draft, { recursive: true })
  const npm = npmCommand()
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', ...(withNode ? [] : ['--omit=optional'])]
  await run(npm.command, [...npm.args, ...args], {
    cwd: draft,
    env: process.env,
    failed:
      'npm could not fetch Node and pnpm. Check the network and the registry npm is set to (npm config get registry).',
  })
  await rename(draft, folder).catch(() => rm(draft, { recursive: true, force: true }))
  return join(folder, 'node_modules')
}

/** The npm that started us, else the one on PATH. */
function npmCommand() {
  const own = process.env.npm_execpath
  return own?.endsWith('npm-cli.js') ? { command: process.execPath, args: [own] } : { command: 'npm', args: [] }
}

/** Installs what the lock file says, unless this very state was installed last time. */
async function dependencies({ node, pnpm, env, progress }) {
  const state = hash(...stateFiles().map((file) => readFileSync(join(ROOT, file))))
  const stamp = join(ROOT, 'node_modules', '.installed')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return
  progress('installing the locked dependencies')
  await run(
    node,
    [pnpm, 'install', '--frozen-lockfile', '--config.confirm-modules-purge=false', '--reporter=append-only'],
    {
      cwd: ROOT,
      env,
      failed:
        'pnpm could not install the dependencies. Check the network and the registry npm is set to, and that pnpm-lock.yaml is unchanged.',
    },
  )
  writeFileSync(stamp, state)
}

function stateFiles() {
  const packages = ['packages', 'services', 'examples'].flatMap((folder) =>
    readdirSync(join(ROOT, folder)).map((name) => join(folder, name, 'package.json')),
  )
  const all = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', join('tests', 'package.json'), ...packages]
  return all.filter((file) => existsSync(join(ROOT, file)))
}

function hash(...contents) {
  const sum = createHash('sha256')
  for (const content of contents) sum.update(content)
  return sum.digest('hex').slice(0, 16)
}

/** Runs a program quietly; what it printed is shown only when it fails. */
function run(command, args, { cwd, env, failed }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = []
    child.stdout.on('data', (chunk) => output.push(chunk))
    child.stderr.on('data', (chunk) => output.push(chunk))
    child.once('error', (error) =>
      reject(new BootstrapError(`${failed}\n${command} could not be started: ${error.message}`)),
    )
    child.once('close', (code) => {
      if (code === 0) resolve()
      else
        reject(
          new BootstrapError(`${failed}\n${Buffer.concat(output).toString().trim().split('\n').slice(-15).join('\n')}`),
        )
    })
  })
}
