import type { MsgModel, SendBatch } from '@qunxin/contracts'
import t from 'tap'
import { startRig, textTo } from './rig/gateway-rig.ts'

const { gateway, service, bind } = await startRig()

t.test('a message goes in a batch, is acknowledged, and reaches the other user as a frame', async (t) => {
  const [alice, bob] = await Promise.all([bind(gateway, 1), bind(gateway, 2)])
  service.onBatch = ({ node, sends }: SendBatch) => {
    for (const send of sends) {
      const message: MsgModel = {
        fromUserId: 1,
        toUserId: 2,
        contentStr: send.text,
        serverReceiveDate: 5,
        msgId: send.msgId,
        msgContentType: 1,
        sessionId: '',
        state: 1,
        seq: 1,
      }
      service.deliver(node, [{ message, to: { users: ['1', '2'], except: send.conn, conversation: send.conversation } }])
      service.answer(node, [{ id: send.id, seq: 1, at: 5 }])
    }
  }
  alice.send('message', { fromUserId: 1, ...textTo(2, 'm1') })
  t.same(await alice.next('messageAck'), {
    msgId: 'm1',
    sessionId: '',
    peerUserId: 2,
    seq: 1,
    serverReceiveDate: 5,
    state: 1,
  })
  t.match(await bob.next('message'), { fromUserId: 1, contentStr: 'hello', seq: 1 })
  t.same(alice.of('message'), [])
})
