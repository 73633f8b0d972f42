import { isAbsolute, relative } from 'node:path'
import type { DevToken } from './dev-tokens.ts'
import type { System } from './system.ts'

/** What is printed when everything runs: addresses, two users, and commands that work as they stand. */
export function welcome(system: System, tokens: readonly [DevToken, DevToken], cwd: string): string {
  const [sender, receiver] = tokens
  const url = system.gateways[0]?.url ?? ''
  const others = system.gateways.slice(1).map(({ url }) => `\n             ${url}`)
  const data = relative(cwd, system.dataDir)
  const shown = data === '' || data.startsWith('..') ? system.dataDir : data
  return `
Qunxin is up.

  page       ${url}/
  HTTP       ${url}/chat/group!groupList and so on${others.join('')}
  socket     ${url.replace('http', 'ws')}/ws
  processes  ${shown}/run.json, their logs in ${shown}/logs

Two users with tokens for 24 hours:
  ${sender.uid}  ${sender.accessToken}
  ${receiver.uid}  ${receiver.accessToken}

Try it. In a second terminal ${receiver.uid} listens:

  ${nodeCommand(cwd)} -e '
    const socket = new WebSocket("${url.replace('http', 'ws')}/ws?accessToken=${receiver.accessToken}")
    socket.onopen = () => socket.send(JSON.stringify({ tag: "getUserId", data: { userId: ${receiver.uid} } }))
    socket.onmessage = ({ data }) => console.log(data)'

In a third ${sender.uid} makes a group with both in it, and writes to ${receiver.uid}:

  ${curl(`${url}/chat/group!createGroup`, sender, { groupName: 'Hello', memberIds: [sender.uid, receiver.uid] })}

  ${curl(`${url}/chat/chat!sendMessage`, sender, { toUserId: receiver.uid, msgId: `hello-${Date.now()}`, msgContentType: '1', contentStr: 'Hello!' })}

Ctrl-C stops everything; the data stays.`
}

function curl(address: string, headers: DevToken, data: Record<string, unknown>): string {
  return `curl '${address}' -H 'content-type: application/json' -d '${JSON.stringify({ headers, data })}'`
}

/** The Node of this repository when that is the one we run on: an older one on PATH may have no WebSocket. */
function nodeCommand(cwd: string): string {
  const path = relative(cwd, process.execPath)
  return path.startsWith('..') || isAbsolute(path) ? 'node' : path
}
