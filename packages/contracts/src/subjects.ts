import type { Operation } from './operation.ts'

/**
 * Every NATS subject, below the prefix `im` (tests take another one). Request/reply subjects are the operations' names;
 * their queue group is the service's name.
 */
export const subjects = {
  operation: (operation: Pick<Operation, 'name'>) => operation.name,

  /** Gateways publish batches of sends to whoever owns the partition: plain subscriptions, no queue group. */
  partitionSend: (partition: number) => `partition.${partition}.send`,
  /** Gateways tell the owner what reached whom. */
  partitionReceipt: (partition: number) => `partition.${partition}.receipt`,
  /** Gateways tell the owner who is typing. */
  partitionTyping: (partition: number) => `partition.${partition}.typing`,
  /** message-service instances hand what a user wants of a conversation to the owner, and wait. */
  partitionPreference: (partition: number) => `partition.${partition}.preference`,
  /** group-service tells the owner of a change of membership, and waits. */
  partitionMembership: (partition: number) => `partition.${partition}.membership`,

  /** Fan-out to one gateway process: answers and frames of one commit. */
  gatewayDeliver: (node: string) => `gateway.${node}.deliver`,
  /** A gateway tells an instance how much of its deliveries it has taken, and asks for what is missing. */
  messageConfirm: (instance: string) => `message.${instance}.confirm`,
  /** Orders to one gateway process, or to all of them with `ALL_GATEWAYS`. */
  gatewayControl: (node: string) => `gateway.${node}.control`,

  /** Every message-service instance says twice a second that it lives. */
  messageInstances: 'instances.message',
  /** Every gateway process says twice a second that it lives. */
  gatewayInstances: 'instances.gateway',

  /** A gateway tells every message-service instance of users that came to it, and waits for all to confirm. */
  presenceBind: 'presence.bind',
  presenceUnbind: 'presence.unbind',

  groupEvent: (what: GroupFact) => `event.group.${what}`,
  messageEvent: (what: MessageFact) => `event.message.${what}`,
  allEvents: 'event.>',
} as const

export const ALL_GATEWAYS = 'all'

export type GroupFact = 'created' | 'updated' | 'deleted' | 'memberAdded' | 'memberRemoved' | 'roleChanged'

export type MessageFact = 'stored' | 'offline'
