/** Everything that touches the document. What comes from people is only ever set as text. */
const byId = (id) => document.getElementById(id)
export const parts = Object.fromEntries(
  [
    'me',
    'state',
    'people',
    'groups',
    'new-group',
    'title',
    'hint',
    'scroll',
    'older',
    'messages',
    'composer',
    'error',
  ].map((id) => [id, byId(id)]),
)

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties)
  made.append(...children)
  return made
}

export function showUsers(users, me) {
  parts.me.replaceChildren(
    ...users.map((user) => element('option', { value: user, selected: user === me }, `user ${user}`)),
  )
  document.title = `${me} · Qunxin`
}

export function showState(state) {
  parts.state.textContent = state
  parts.state.className = state
}

/** `open` is called with the conversation that was picked. */
export function showConversations(list, conversations, { current, open }) {
  list.replaceChildren(
    ...conversations.map((conversation) => {
      const button = element('button', { type: 'button', onclick: () => open(conversation) }, conversation.name)
      button.setAttribute('aria-current', String(conversation === current))
      const item = element('li', {}, button)
      if (conversation.unread > 0) item.append(element('span', { className: 'unread' }, String(conversation.unread)))
      if (conversation.peer !== undefined) {
        const href = `?as=${conversation.peer}`
        item.append(element('a', { href, target: '_blank', title: 'Be this user in another tab' }, '↗'))
      }
      return item
    }),
  )
}

export function showMessages(conversation, me) {
  const atEnd = parts.scroll.scrollHeight - parts.scroll.scrollTop - parts.scroll.clientHeight < 80
  parts.title.textContent = conversation.name
  parts.hint.textContent = conversation.group === undefined ? '' : `group ${conversation.group}`
  parts.older.hidden = !conversation.hasOlder
  parts.composer.hidden = false
  parts.messages.replaceChildren(
    ...conversation.messages.map((message) => {
      const mine = message.from === me
      const when = new Date(message.at).toLocaleTimeString()
      const who = mine ? when : `${message.from} · ${when}`
      const state = message.failed ?? (message.seq === undefined ? 'sending' : '')
      const className = [
        mine && 'mine',
        message.failed && 'failed',
        !message.failed && message.seq === undefined && 'waiting',
      ]
      return element(
        'li',
        { className: className.filter(Boolean).join(' ') },
        element('span', { className: 'text' }, message.text),
        element('time', {}, [who, state].filter(Boolean).join(' · ')),
      )
    }),
  )
  if (atEnd) parts.scroll.scrollTop = parts.scroll.scrollHeight
}

let hiding
export function showError(error) {
  parts.error.textContent = error?.info || error?.message || String(error)
  parts.error.hidden = false
  clearTimeout(hiding)
  hiding = setTimeout(() => {
    parts.error.hidden = true
  }, 8000)
}
