/** Builds the audit record of a call, and of what the service did by itself. */
import { createHash, randomUUID } from 'node:crypto'
import type { Caller } from '../authn/caller.ts'
import { type AccountId, type KeyId, keyArn, type Region } from '../ids.ts'
import type { AuditRecord, CallRecord, ServiceEventRecord } from './record.ts'

export interface RecordedCall {
  readonly caller: Caller
  /** When the call was completed, in milliseconds since the epoch. */
  readonly eventTime: number
  /** `kms.amazonaws.com` */
  readonly eventSource: string
  readonly eventName: string
  readonly region: Region
  readonly sourceIp: string
  readonly userAgent: string
  /** The service that made the call on the caller's behalf. */
  readonly via?: 's3'
  /** The refusal, by its name on the wire. */
  readonly error?: { readonly code: string; readonly message: string | undefined }
  readonly requestParameters: AuditRecord['requestParameters']
  readonly responseElements: AuditRecord['responseElements']
  readonly additionalEventData?: NonNullable<AuditRecord['additionalEventData']>
  readonly requestId: string
  readonly readOnly: boolean
  readonly resources?: NonNullable<AuditRecord['resources']>
  readonly category: AuditRecord['eventCategory']
}

/**
 * The record of one call, with an event id of its own (CloudTrail User Guide, "CloudTrail record
 * contents" and "CloudTrail userIdentity element"). Members that do not apply are left out.
 */
export function buildRecord(call: RecordedCall): CallRecord {
  const { error, additionalEventData, resources } = call
  return {
    eventVersion: '1.11',
    userIdentity: userIdentity(call.caller, call.via),
    eventTime: secondsText(call.eventTime),
    eventSource: call.eventSource,
    eventName: call.eventName,
    awsRegion: call.region,
    sourceIPAddress: call.sourceIp,
    userAgent: call.userAgent,
    ...(error === undefined ? {} : { errorCode: errorCodeOf(error.code) }),
    ...(error?.message === undefined ? {} : { errorMessage: error.message }),
    requestParameters: call.requestParameters,
    responseElements: call.responseElements,
    ...(additionalEventData === undefined ? {} : { additionalEventData }),
    requestID: call.requestId,
    eventID: randomUUID(),
    readOnly: call.readOnly,
    ...(resources === undefined || resources.length === 0 ? {} : { resources }),
    eventType: 'AwsApiCall',
    managementEvent: call.category === 'Management',
    recipientAccountId: call.caller.account,
    eventCategory: call.category,
  }
}

/** What KMS does with a key by itself. */
export interface ServiceEvent {
  readonly eventName:
    | 'RotateKey'
    | 'DeleteKey'
    | 'DeleteExpiredKeyMaterial'
    | 'SynchronizeMultiRegionKey'
  readonly key: {
    readonly account: AccountId
    readonly region: Region
    readonly keyId: KeyId
  }
  /**
   * Tells this event from others of the same name and key, such as the id of the material: what is
   * recorded again after a crash has the same event id.
   */
  readonly occurrence: string
  /** `serviceEventDetails`, when the event has any. */
  readonly details?: Readonly<Record<string, unknown>>
  readonly responseElements?: Readonly<Record<string, unknown>>
}

/**
 * The record of a service event (CloudTrail User Guide, "CloudTrail record contents"; AWS KMS
 * Developer Guide, "CloudTrail log entry examples").
 * @param eventTime - milliseconds since the epoch
 */
export function buildServiceEvent(event: ServiceEvent, eventTime: number): ServiceEventRecord {
  const { eventName, details, responseElements } = event
  const { account, region, keyId } = event.key
  const ARN = keyArn(region, account, keyId)
  return {
    eventVersion: '1.11',
    userIdentity: { accountId: account, invokedBy: 'AWS Internal' },
    eventTime: secondsText(eventTime),
    eventSource: 'kms.amazonaws.com',
    eventName,
    awsRegion: region,
    sourceIPAddress: 'AWS Internal',
    userAgent: 'AWS Internal',
    requestParameters: null,
    responseElements: responseElements ?? null,
    eventID: namedEventId(eventName, ARN, event.occurrence),
    readOnly: false,
    resources: [{ accountId: account, type: 'AWS::KMS::Key', ARN }],
    eventType: 'AwsServiceEvent',
    managementEvent: true,
    recipientAccountId: account,
    ...(details === undefined ? {} : { serviceEventDetails: details }),
    eventCategory: 'Management',
  }
}

/** A UUID of version 8 (RFC 9562 section 5.8) over what names an event. */
function namedEventId(...names: readonly string[]): string {
  const hex = createHash('sha256').update(JSON.stringify(names)).digest('hex')
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}

const userIdentity = (caller: Caller, via: 's3' | undefined): CallRecord['userIdentity'] => ({
  type: caller.kind === 'User' ? 'IAMUser' : 'AssumedRole',
  principalId: caller.userId,
  arn: caller.arn,
  accountId: caller.account,
  accessKeyId: caller.accessKeyId,
  ...(caller.kind === 'User' ? { userName: caller.userName } : {}),
  ...(via === undefined ? {} : { invokedBy: `${via}.amazonaws.com` }),
})

/** CloudTrail shows this one refusal without its ending, and every other under its own name. */
const errorCodeOf = (code: string): string =>
  code === 'AccessDeniedException' ? 'AccessDenied' : code

let lastSecond = { second: Number.NaN, text: '' }

/** `2026-11-23T20:18:00Z`. Most calls come in the same second as the one before. */
function secondsText(time: number): string {
  const second = Math.floor(time / 1000)
  if (second !== lastSecond.second) {
    lastSecond = { second, text: `${new Date(second * 1000).toISOString().slice(0, -5)}Z` }
  }
  return lastSecond.text
}
