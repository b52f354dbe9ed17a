/** Builds the audit record of a call, and of what the service did by itself. */
import { createHash, randomUUID } from 'node:crypto'
import type { Caller, Session } from '../authn/caller.ts'
import { type AccountId, type KeyId, keyArn, PARTITION, type Region } from '../ids.ts'
import type { AuditRecord, CallRecord, ServiceEventRecord, SessionContext } from './record.ts'

/** Whom an identity provider vouches for, before there is a session. */
export interface WebIdentity {
  readonly kind: 'WebIdentity'
  /** Where what is asked for lies. */
  readonly account: AccountId
  readonly federated: NonNullable<Session['federated']>
}

export interface RecordedCall {
  readonly caller: Caller | WebIdentity
  /** The account that the record is for; absent: the caller's. */
  readonly recipient?: AccountId
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
    recipientAccountId: call.recipient ?? call.caller.account,
    eventCategory: call.category,
  }
}

/**
 * The records of a call that used keys of other accounts: the caller's own, and for each owner one of
 * its own resources, in which the caller is known by its account and id alone (CloudTrail User Guide,
 * "CloudTrail record contents", sharedEventID).
 */
export function sharedRecords(
  record: CallRecord,
  owners: readonly AccountId[],
): readonly CallRecord[] {
  if (owners.length === 0) return [record]
  const sharedEventID = randomUUID()
  const { principalId, accountId = record.recipientAccountId } = record.userIdentity
  const forOwner = (owner: AccountId): CallRecord => ({
    ...record,
    userIdentity: { type: 'AWSAccount', principalId, accountId },
    eventID: randomUUID(),
    resources: record.resources?.filter((resource) => resource.accountId === owner) ?? [],
    recipientAccountId: owner,
    sharedEventID,
  })
  return [{ ...record, sharedEventID }, ...owners.map(forOwner)]
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

function userIdentity(
  caller: Caller | WebIdentity,
  via: 's3' | undefined,
): CallRecord['userIdentity'] {
  if (caller.kind === 'WebIdentity') return webIdentity(caller)
  return {
    type: caller.kind === 'User' ? 'IAMUser' : 'AssumedRole',
    principalId: caller.userId,
    arn: caller.arn,
    accountId: caller.account,
    accessKeyId: caller.accessKeyId,
    ...(caller.kind === 'User' ? { userName: caller.userName } : {}),
    ...(caller.session === null ? {} : { sessionContext: sessionContext(caller, caller.session) }),
    ...(via === undefined ? {} : { invokedBy: `${via}.amazonaws.com` }),
  }
}

const webIdentity = ({ federated }: WebIdentity): CallRecord['userIdentity'] => ({
  type: 'WebIdentityUser',
  principalId: `${federated.provider}:${federated.audience}:${federated.subject}`,
  userName: federated.subject,
  identityProvider: federated.provider,
})

function sessionContext(caller: Caller, session: Session): SessionContext {
  const { account, principalArn, principalId } = caller
  const { federated, issuedAt, sourceIdentity } = session
  return {
    ...(caller.kind === 'AssumedRole'
      ? {
          sessionIssuer: {
            type: 'Role',
            principalId,
            arn: principalArn,
            accountId: account,
            userName: caller.roleName,
          },
        }
      : {}),
    ...(federated === null
      ? {}
      : {
          webIdFederationData: {
            federatedProvider: `arn:${PARTITION}:iam::${account}:oidc-provider/${federated.provider}`,
            attributes: {},
          },
        }),
    attributes: { creationDate: isoSeconds(issuedAt), mfaAuthenticated: 'false' },
    ...(sourceIdentity === null ? {} : { sourceIdentity }),
  }
}

/** CloudTrail shows this one refusal without its ending, and every other under its own name. */
const errorCodeOf = (code: string): string =>
  code === 'AccessDeniedException' ? 'AccessDenied' : code

let lastSecond = { second: Number.NaN, text: '' }

/** `2026-11-23T20:18:00Z`. Most calls come in the same second as the one before. */
function secondsText(time: number): string {
  const second = Math.floor(time / 1000)
  if (second !== lastSecond.second) {
    lastSecond = { second, text: isoSeconds(second * 1000) }
  }
  return lastSecond.text
}

const isoSeconds = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}Z`
