import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unpackDebian } from '../fetch/debian.ts'
import { selfContained } from '../fetch/self-contained.ts'
import { withLibraries } from '../fetch/shared-libraries.ts'
import { findOnPath } from '../find-on-path.ts'
import type { Progress } from '../progress.ts'

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'chromium-headless-shell']

/** True when a test file drives a browser. */
export function needsBrowser(root: string, file: string): boolean {
  return readFileSync(join(root, file), 'utf8').includes("from 'playwright-core'")
}

/**
 * The browser named by CHROMIUM, one on PATH, or Debian's headless one unpacked into the cache.
 *
 * @throws SetupError saying what to install
 */
export async function locateChromium(cache: string, progress: Progress): Promise<string> {
  const { CHROMIUM } = process.env
  if (CHROMIUM !== undefined && existsSync(CHROMIUM)) return CHROMIUM
  for (const program of PROGRAMS) {
    const onPath = findOnPath(program)
    if (onPath !== undefined) return onPath
  }
  const root = await unpackDebian(cache, {
    name: 'chromium',
    packages: [['chromium-headless-shell']],
    installHint:
      'The tests of the page need Chromium. Install it (Debian: apt-get install chromium), or name it by CHROMIUM.',
    progress,
  })
  const own = join(cache, 'servers', 'chromium')
  const { LD_LIBRARY_PATH } = withLibraries(process.env, root)
  return selfContained(join(own, 'chromium'), join(root, 'usr', 'lib', 'chromium', 'chromium-headless-shell'), {
    LD_LIBRARY_PATH,
    FONTCONFIG_FILE: await fontsOf(root, own),
  })
}

/** Chromium crashes on the first text when it finds no font at all. */
async function fontsOf(root: string, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  const file = join(folder, 'fonts.conf')
  const folders = ['/usr/share/fonts', join(root, 'usr', 'share', 'fonts')].map((path) => `<dir>${path}</dir>`)
  await writeFile(
    file,
    `<fontconfig>${folders.join('')}<cachedir>${join(folder, 'font-cache')}</cachedir></fontconfig>\n`,
  )
  return file
}
