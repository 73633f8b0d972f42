import { connect } from 'node:net'

/** Connects, says `say`, and returns the first thing the server answers; rejects when it does not within a second. */
export function probeTcp(port: number, say = '', host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host })
    socket.setTimeout(1000, () => socket.destroy(new Error('no answer')))
    socket.once('connect', () => socket.write(say))
    socket.once('data', (data) => {
      resolve(data.toString())
      socket.destroy()
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed without an answer')))
  })
}
