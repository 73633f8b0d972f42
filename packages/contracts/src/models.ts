import { z } from 'zod'

const text = z.string()

/** Seed A, calls 2 and 3. */
export const groupInfo = z.object({
  groupId: text,
  projectName: text,
  groupName: text,
  /** "1" project group, "2" shareholder group. */
  type: text,
  introduction: text,
  notice: text,
  creator_id: text,
  /** Extension: milliseconds between two messages of a plain member; left out when off. */
  slowModeMs: z.number().optional(),
  /** Extension: members read only what was sent while they were; left out when they read everything. */
  history: z.literal('joined').optional(),
})
export type GroupInfo = z.infer<typeof groupInfo>

/** Seed A's profile fields, pushed in by the user system through im.user.put. All strings, empty when unknown. */
export const profileFields = {
  sex: text,
  age: text,
  phoneNumber: text,
  country: text,
  province: text,
  city: text,
  district: text,
  street: text,
  company: text,
  occupation: text,
  role: text,
  degrees: text,
  school: text,
  nickName: text,
  userPhoto: text,
  signature: text,
}
export type ProfileField = keyof typeof profileFields
export const profileFieldNames = Object.keys(profileFields) as ProfileField[]

/** Seed A, call 3. */
export const groupUser = z.object({
  userId: z.number(),
  ...profileFields,
  /** "1" owner, "2" admin, "3" member. */
  user_type: z.enum(['1', '2', '3']),
  show_name: text,
})
export type GroupUser = z.infer<typeof groupUser>

/** Seed B, GroupModel: creator and memberIds are numbers, memberIds leaves the owner out. */
export const groupModel = z.object({
  groupId: text,
  groupName: text,
  groupHeadImage: text,
  creator: z.number(),
  memberIds: z.array(z.number()),
  updateDate: z.number(),
  createDate: z.number(),
  /** Extension: milliseconds between two messages of a plain member; left out when off. */
  slowModeMs: z.number().optional(),
  /** Extension: members read only what was sent while they were; left out when they read everything. */
  history: z.literal('joined').optional(),
})
export type GroupModel = z.infer<typeof groupModel>

/** Seed B, GroupUserModel. */
export const groupUserModel = z.object({ userId: z.number(), groupIds: z.array(text) })

/** What images, places and voice messages carry beside their text; seed A's names. */
export const attachmentFields = {
  url: z.string().max(2048).optional(),
  filename: z.string().max(512).optional(),
  secret: z.string().max(512).optional(),
  /** Seconds. */
  length: z.number().nonnegative().optional(),
  lat: z.number().min(-90).max(90).optional(),
  lng: z.number().min(-180).max(180).optional(),
  addr: z.string().max(1000).optional(),
}
export type Attachment = { [K in keyof typeof attachmentFields]?: z.infer<(typeof attachmentFields)[K]> | undefined }

/** Number on the socket, word in seed A's records, and the attachment fields a message of that type has. */
export const contentTypes = {
  1: { word: 'txt', fields: [] },
  2: { word: 'img', fields: ['url', 'filename', 'secret'] },
  3: { word: 'loc', fields: ['lat', 'lng', 'addr'] },
  4: { word: 'audio', fields: ['url', 'filename', 'secret', 'length'] },
} as const satisfies Record<number, { word: string; fields: readonly (keyof Attachment)[] }>
export type ContentType = keyof typeof contentTypes

export function isContentType(value: number): value is ContentType {
  return Object.hasOwn(contentTypes, value)
}

/** 1 the server has it, 2 it reached the other side, 3 the other side read it. */
export const messageState = z.union([z.literal(1), z.literal(2), z.literal(3)])
export type MessageState = z.infer<typeof messageState>

/** A recall or an edit stands in the log behind the message it changes: the change's own seq and msgId are in the model around it. */
export const messageChange = z.object({
  kind: z.enum(['recall', 'edit']),
  /** Of the message that is changed. */
  seq: z.number(),
  msgId: text,
})
export type MessageChange = z.infer<typeof messageChange>

/** What a message that was changed later carries. */
const changedFields = {
  /** Taken back by its author: text and attachment are gone. */
  recalled: z.literal(true).optional(),
  /** When it was edited last, in milliseconds: the text is the newest one. */
  edited: z.number().optional(),
}

/** Seed B, MsgModel, with the extensions seq, sendDate, the attachment fields and what came of it later. */
export const msgModel = z.object({
  fromUserId: z.number(),
  /** 0 for a group message. */
  toUserId: z.number(),
  contentStr: text,
  serverReceiveDate: z.number(),
  msgId: text,
  msgContentType: z.number(),
  /** Empty for a personal message, else the group id. */
  sessionId: text,
  state: messageState,
  seq: z.number(),
  sendDate: z.number().optional(),
  ...attachmentFields,
  ...changedFields,
  /** Set on a recall or an edit, which is told by the tag `messageChanged`. */
  change: messageChange.optional(),
  /** Set on an edit of a message its receiver may not read: the new text is not theirs either. */
  withheld: z.literal(true).optional(),
})
export type MsgModel = z.infer<typeof msgModel>

/** As shown to one user: the edit of a message they may not read keeps its place and loses its text. */
export function shownTo(model: MsgModel, mayRead: (seq: number) => boolean): MsgModel {
  if (model.change?.kind !== 'edit' || mayRead(model.change.seq)) return model
  return { ...model, contentStr: '', withheld: true }
}

/** Seed A, call 8. */
export const chatRecord = z.object({
  fromId: text,
  msg_id: text,
  chat_type: z.enum(['chat', 'groupchat']),
  msg: text,
  type: z.enum(['txt', 'img', 'loc', 'audio']),
  ...attachmentFields,
  timestamp: z.number(),
  /** The receiver, or the group id. */
  toId: text,
  seq: z.number(),
  state: messageState,
  ...changedFields,
})
export type ChatRecord = z.infer<typeof chatRecord>

export const role = z.enum(['owner', 'admin', 'member'])
export type Role = z.infer<typeof role>

/**
 * A time in which a user was a member of a group: who reads only what was sent meanwhile sees seqs above `afterSeq` up to
 * `toSeq`. The seqs are exact and win; where the partition's owner could not tell one, the time (ms) stands for it.
 */
export const membershipInterval = z.object({
  afterTime: z.number(),
  afterSeq: z.number().optional(),
  /** Both left out while the membership lasts. */
  toTime: z.number().optional(),
  toSeq: z.number().optional(),
})
export type MembershipInterval = z.infer<typeof membershipInterval>
