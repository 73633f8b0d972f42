import { randomBytes, randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { cpuMicroseconds } from './measure/proc.ts'
import type { Target } from './target.ts'
import { bindUsers } from './users.ts'

export interface PairsOptions {
  pairs: number
  inFlight: number
  warmUpMs: number
  measureMs: number
  /** Bytes of text in a message. */
  size: number
}

export interface PairsResult {
  acknowledgedPerSecond: number
  deliveredPerSecond: number
  refused: number
  /** Microseconds of processor time per delivered message, by process. */
  cpuPerDelivered: Record<string, number>
}

interface Counts {
  acknowledged: number
  delivered: number
  refused: number
}

/** Closed loop: in each pair one user sends to the other, and for every acknowledgement sends the next. */
export async function runPairs(target: Target, options: PairsOptions): Promise<PairsResult> {
  const first = randomInt(1_000_000, 2 ** 40)
  const ids = Array.from({ length: 2 * options.pairs }, (_, i) => first + i)
  const sockets = await bindUsers(target, ids)
  const counts: Counts = { acknowledged: 0, delivered: 0, refused: 0 }
  const running = { on: true }
  for (let i = 0; i < sockets.length; i += 2) {
    const [from, to] = [ids[i] as number, ids[i + 1] as number]
    startPair(
      { sender: sockets[i] as WebSocket, receiver: sockets[i + 1] as WebSocket },
      { from, to },
      { options, counts, running },
    )
  }
  await delay(options.warmUpMs)
  const before = { ...counts }
  const cpuBefore = target.processes.map(({ pid }) => cpuMicroseconds(pid))
  const started = performance.now()
  await delay(options.measureMs)
  const seconds = (performance.now() - started) / 1_000
  const cpu = target.processes.map(({ pid }, i) => cpuMicroseconds(pid) - (cpuBefore[i] as number))
  const delivered = counts.delivered - before.delivered
  running.on = false
  const result = {
    acknowledgedPerSecond: (counts.acknowledged - before.acknowledged) / seconds,
    deliveredPerSecond: delivered / seconds,
    refused: counts.refused,
    cpuPerDelivered: Object.fromEntries(target.processes.map(({ name }, i) => [name, (cpu[i] as number) / delivered])),
  }
  for (const socket of sockets) socket.terminate()
  return result
}

function startPair(
  { sender, receiver }: { sender: WebSocket; receiver: WebSocket },
  { from, to }: { from: number; to: number },
  { options, counts, running }: { options: PairsOptions; counts: Counts; running: { on: boolean } },
): void {
  const contentStr = 'x'.repeat(options.size)
  const run = randomBytes(6).toString('hex')
  let last = 0
  const sendNext = () => {
    if (!running.on) return
    const data = {
      fromUserId: from,
      toUserId: to,
      contentStr,
      msgId: `${run}-${++last}`,
      sendDate: Date.now(),
      msgContentType: '1',
      sessionId: '',
    }
    sender.send(JSON.stringify({ tag: 'message', data }))
  }
  sender.on('message', (text: Buffer) => {
    if (!text.includes('"tag":"messageAck"', 0, 'latin1')) return
    if (text.includes('"seq":', 0, 'latin1')) counts.acknowledged += 1
    else counts.refused += 1
    sendNext()
  })
  receiver.on('message', (text: Buffer) => {
    if (text.includes('"tag":"message"', 0, 'latin1')) counts.delivered += 1
  })
  for (let i = 0; i < options.inFlight; i++) sendNext()
}
