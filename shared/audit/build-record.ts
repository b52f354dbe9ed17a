/** Builds the audit record of a call. */
import { randomUUID } from 'node:crypto'
import type { Caller } from '../authn/caller.ts'
import type { Region } from '../ids.ts'
import type { AuditRecord } from './record.ts'

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
export function buildRecord(call: RecordedCall): AuditRecord {
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

const userIdentity = (caller: Caller, via: 's3' | undefined): AuditRecord['userIdentity'] => ({
  type: 'IAMUser',
  principalId: caller.principalId,
  arn: caller.arn,
  accountId: caller.account,
  accessKeyId: caller.accessKeyId,
  userName: caller.userName,
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
