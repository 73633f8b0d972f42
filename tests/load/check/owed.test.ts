import t from 'tap'
import { History } from '../history.ts'
import { Owed } from './owed.ts'

function pair() {
  const history = new History('run')
  const [one, two] = [history.addClient(1), history.addClient(2)]
  const conversation = history.conversation('p1-2')
  for (const client of [one, two]) history.joined(conversation, client)
  const connection = history.connected(two)
  const send = () => history.attempt(one, conversation)
  const show = ({ msgId, text }: { msgId: string; text: string }, on = connection) =>
    history.showed(on, conversation, { seq: 1, msgId, fromUserId: 1, text, at: 0 })
  return { history, one, two, send, show }
}

t.test('a client has everything once it was shown all that was sent by then, on whichever connection', async (t) => {
  const { history, one, two, send, show } = pair()
  const [first, second] = [send(), send()]
  show(first)
  const owed = new Owed(history)
  t.equal(owed.isShownTo(one), true, 'nobody is owed what they sent')
  t.equal(owed.isShownTo(two), false)
  send()
  show(second, history.connected(two))
  t.equal(owed.isShownTo(two), true, 'the third was sent later')
})

t.test('what is refused for good is owed to nobody', async (t) => {
  const { history, two, send } = pair()
  const { index } = send()
  const owed = new Owed(history)
  t.equal(owed.isShownTo(two), false)
  history.refused(index)
  t.equal(owed.isShownTo(two), true)
})

t.test('who is in no conversation is owed nothing', async (t) => {
  const { history } = pair()
  t.equal(new Owed(history).isShownTo(history.addClient(3)), true)
})
