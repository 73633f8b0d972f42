import { connect, newMsgId } from '/sdk/index.ts'
import { Conversation, fromDelivery, fromRecord } from './conversations.js'
import { parts, showConversations, showError, showMessages, showState, showUsers } from './view.js'

const USERS = [1000221, 1000222, 1000223]
const asked = Number(new URLSearchParams(location.search).get('as'))
const me = Number.isSafeInteger(asked) && asked > 0 ? asked : USERS[0]
const everybody = USERS.includes(me) ? USERS : [...USERS, me]

const conversations = new Map()
for (const peer of everybody) if (peer !== me) add(new Conversation({ peer, name: `user ${peer}` }))
let current

showUsers(everybody, me)
parts.me.onchange = () => location.assign(`?as=${parts.me.value}`)

/** As the login server of a real system would give it. */
async function token() {
  const response = await fetch('/dev/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ uid: String(me), client: 'page' }),
  })
  if (!response.ok) throw new Error(`no development token: ${response.status}`)
  return (await response.json()).accessToken
}

const client = await connect({ url: location.origin, userId: me, accessToken: token }).catch((error) => {
  showState('closed')
  showError(error)
  throw error
})
showState('bound')
client.on('state', (state) => {
  showState(state)
  if (state === 'bound') void shown(catchUp)
})
client.on('error', showError)
client.on('groupListChanged', () => shown(loadGroups))
client.on('message', received)

parts['new-group'].onsubmit = (event) => {
  event.preventDefault()
  const form = event.target
  void shown(async () => {
    const groupName = form.elements.groupName.value
    const { groupId } = await client.call('createGroup', { groupName, memberIds: everybody })
    form.reset()
    await loadGroups()
    open(conversations.get(`g${groupId}`))
  })
}

parts.composer.onsubmit = (event) => {
  event.preventDefault()
  const input = event.target.elements.text
  void send(current, input.value)
  input.value = ''
}

parts.older.onclick = () =>
  shown(async () => {
    const conversation = current
    const { scrollHeight } = parts.scroll
    await load(conversation, { beforeSeq: conversation.oldestSeq })
    showCurrent()
    parts.scroll.scrollTop += parts.scroll.scrollHeight - scrollHeight
  })

await shown(loadGroups)

/** After a loss: what came meanwhile is delivered by itself, but not what one sent elsewhere. */
async function catchUp() {
  await loadGroups()
  if (current) await loadNewest(current)
}

async function loadGroups() {
  const groups = await client.call('queryGroupList')
  const listed = new Set(groups.map(({ groupId }) => `g${groupId}`))
  for (const key of conversations.keys()) if (key.startsWith('g') && !listed.has(key)) conversations.delete(key)
  for (const { groupId, groupName } of groups) {
    const known = conversations.get(`g${groupId}`)
    if (known) known.name = groupName
    else add(new Conversation({ group: groupId, name: groupName }))
  }
  showLists()
}

function open(conversation) {
  current = conversation
  conversation.unread = 0
  showLists()
  showNewest()
  parts.composer.elements.text.focus()
  if (!conversation.loaded) void shown(() => loadNewest(conversation))
}

async function loadNewest(conversation) {
  await load(conversation, {})
  conversation.loaded = true
  if (conversation === current) showNewest()
}

async function load(conversation, page) {
  const { recordList, hasMore } = await client.call('loadChatRecords', { ...conversation.forHistory, ...page })
  for (const record of recordList) conversation.put(fromRecord(record))
  conversation.hasOlder = hasMore
}

async function send(conversation, text) {
  const msgId = newMsgId()
  conversation.put({ msgId, from: me, text, at: Date.now() })
  showCurrent()
  try {
    const { seq, serverReceiveDate } = await client.send({ ...conversation.forSending, text, msgId })
    conversation.put({ msgId, from: me, seq, at: serverReceiveDate })
  } catch (error) {
    conversation.put({ msgId, from: me, failed: 'not sent' })
    showError(error)
  }
  showCurrent()
}

/** From others, and from oneself in another tab. */
function received(message) {
  const peer = message.fromUserId === me ? message.toUserId : message.fromUserId
  const key = message.sessionId === '' ? `p${peer}` : `g${message.sessionId}`
  const conversation = conversations.get(key) ?? add(conversationOf(message, peer))
  if (conversation.put(fromDelivery(message)) && conversation !== current) conversation.unread += 1
  showLists()
  if (conversation === current) showCurrent()
}

function conversationOf({ sessionId }, peer) {
  return sessionId === ''
    ? new Conversation({ peer, name: `user ${peer}` })
    : new Conversation({ group: sessionId, name: `group ${sessionId}` })
}

function add(conversation) {
  conversations.set(conversation.key, conversation)
  return conversation
}

function showLists() {
  const all = [...conversations.values()]
  showConversations(
    parts.people,
    all.filter(({ group }) => group === undefined),
    { current, open },
  )
  showConversations(
    parts.groups,
    all.filter(({ group }) => group !== undefined),
    { current, open },
  )
}

function showNewest() {
  showCurrent()
  parts.scroll.scrollTop = parts.scroll.scrollHeight
}

function showCurrent() {
  if (current) showMessages(current, me)
}

/** Runs it, and shows what went wrong. */
async function shown(task) {
  try {
    await task()
  } catch (error) {
    showError(error)
  }
}
