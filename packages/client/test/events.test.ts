import t from 'tap'
import { Events } from '../src/events.ts'

t.test('a listener that throws stops neither the other listeners nor the connection, and is reported', async (t) => {
  const events = new Events()
  const heard: string[] = []
  events.on('state', () => {
    throw new Error('of the application')
  })
  events.on('state', (state) => heard.push(state))
  const reported = Promise.withResolvers<unknown>()
  const before = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.once('uncaughtException', (error) => reported.resolve(error))
  events.emit('state', 'bound')
  t.same(heard, ['bound'])
  t.match(await reported.promise, { message: 'of the application' })
  for (const listener of before) process.on('uncaughtException', listener)
})
