import { randomUUID } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import t from 'tap'
import { testSystem } from '../system.ts'

const { urls } = await testSystem(t)
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
})
t.teardown(() => browser.close())

t.test('two tabs, two users: what one sends the other reads, in a conversation and in a group', async (t) => {
  const [one, two] = [
    await openPage(browser, `${urls[0]}/?as=1000221`),
    await openPage(browser, `${urls[1]}/?as=1000222`),
  ]
  await Promise.all([one, two].map(({ page }) => page.locator('#state', { hasText: 'bound' }).waitFor()))

  const hello = `你好 ${randomUUID()}`
  await one.page.locator('#people button', { hasText: 'user 1000222' }).click()
  await send(one.page, hello)
  await one.page.locator('#messages li.mine:not(.waiting)', { hasText: hello }).waitFor()
  await two.page.locator('#people .unread', { hasText: '1' }).waitFor()
  await two.page.locator('#people button', { hasText: 'user 1000221' }).click()
  await two.page.locator('#messages li', { hasText: hello }).waitFor()

  const markup = `<img src=x onerror="document.title='broken'"> ${randomUUID()}`
  await send(two.page, markup)
  await one.page.locator('#messages li:not(.mine)', { hasText: markup }).waitFor()
  t.equal(await one.page.title(), '1000221 · Qunxin', 'what people write is text and nothing else')

  const groupName = `group ${randomUUID()}`
  await one.page.locator('#new-group input').fill(groupName)
  await one.page.locator('#new-group button').click()
  await two.page.locator('#groups button', { hasText: groupName }).click()
  const inGroup = `大家好 ${randomUUID()}`
  await send(two.page, inGroup)
  await one.page.locator('#messages li', { hasText: inGroup }).waitFor()
  t.equal(await one.page.locator('#messages li', { hasText: inGroup }).count(), 1)

  const path = join(await mkdtemp(join(tmpdir(), 'qunxin-page-')), 'page.png')
  await one.page.screenshot({ path })
  t.comment(`a picture of it: ${path}`)
  t.same([...one.faults, ...two.faults], [], 'nothing on the page went wrong')
})

async function openPage(browser: Browser, url: string): Promise<{ page: Page; faults: string[] }> {
  const page = await (await browser.newContext()).newPage()
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text())
  })
  await page.goto(url)
  return { page, faults }
}

async function send(page: Page, text: string): Promise<void> {
  await page.locator('#composer input').fill(text)
  await page.locator('#composer button').click()
}
