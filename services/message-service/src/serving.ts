import type { Bus } from '@qunxin/bus'
import { systemClock } from '@qunxin/runtime'
import { changeHandlers } from './changing.ts'
import type { Config } from './config.ts'
import type { LateRoutes } from './fanout/routes.ts'
import { createHandlers, type ReadGates } from './handlers.ts'
import type { MembershipCache } from './membership/cache.ts'
import { lateMembers } from './membership/late-members.ts'
import type { MembershipSource } from './membership/source.ts'
import { preferenceHandlers } from './preferences/handlers.ts'
import { presenceHandlers } from './presence/handlers.ts'
import { GroupsInTime } from './reads/groups-in-time.ts'
import { MemberCursors } from './reads/member-cursors.ts'
import { receiptCalls } from './receipts/handlers.ts'
import { askToSend, sender } from './sending.ts'
import type { Conversations } from './store/conversations.ts'
import type { Cursors } from './store/cursors.ts'
import type { MessageLog } from './store/message-log.ts'
import type { Overviews } from './store/overviews.ts'
import type { Preferences } from './store/preferences.ts'

export interface ServingParts {
  config: Pick<Config, 'PARTITIONS' | 'RECALL_WITHIN_S' | 'EDIT_WITHIN_S'>
  bus: Bus
  instance: string
  log: MessageLog
  cursors: Cursors
  conversations: Conversations
  preferences: Preferences
  overviews: Overviews
  membership: MembershipSource
  members: MembershipCache
  routes: LateRoutes
  gates: ReadGates
}

/** Serves every operation of this service, whichever instance owns the conversations they are about. */
export function serveOperations(parts: ServingParts): void {
  const { config, bus, instance, log, cursors, conversations, preferences, overviews, membership, gates } = parts
  const partitions = config.PARTITIONS
  const presence = presenceHandlers({
    routes: parts.routes,
    conversations,
    preferences,
    membership,
    bus,
    partitions,
    gate: gates.presence,
  })
  const ask = askToSend({ bus, instance, partitions })
  const handlers = createHandlers(
    {
      log,
      cursors,
      conversations,
      membership,
      lateIn: (group) => lateMembers(parts.members, group),
      groupsInTime: new GroupsInTime(membership),
      memberCursors: new MemberCursors({ membership, cursors, log }),
      overviews,
      gates,
    },
    {
      'message.send': sender(ask),
      ...changeHandlers({
        log,
        membership,
        gate: gates.changes,
        askToSend: ask,
        limits: { recall: config.RECALL_WITHIN_S * 1_000, edit: config.EDIT_WITHIN_S * 1_000 },
        clock: systemClock,
      }),
      ...receiptCalls({ bus, partitions, membership }),
      ...preferenceHandlers({ bus, partitions, preferences, membership }),
      ...presence.clients,
    },
  )
  bus.serve(presence.services, 'message-service')
  bus.serve(handlers, 'message-service')
}
