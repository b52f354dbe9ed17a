/** A record as LookupEvents shows and finds it (CloudTrail API reference, "Event", "LookupAttribute"). */
import type { CloudTrailEvent } from './lookup.ts'
import type { AuditRecord } from './record.ts'

export type LookupAttributeKey =
  | 'EventId'
  | 'EventName'
  | 'ReadOnly'
  | 'Username'
  | 'ResourceType'
  | 'ResourceName'
  | 'EventSource'
  | 'AccessKeyId'
  /** Not one of LookupEvents' own. */
  | 'RequestId'

export interface LookupAttribute {
  readonly key: LookupAttributeKey
  readonly value: string
}

/** @param line - the record's JSON text as it lies in the ledger */
export const eventOf = (record: AuditRecord, line: string): CloudTrailEvent => ({
  EventId: record.eventID,
  EventName: record.eventName,
  ReadOnly: record.readOnly ? 'true' : 'false',
  ...ofCaller('AccessKeyId', record.userIdentity.accessKeyId),
  EventTime: new Date(record.eventTime),
  EventSource: record.eventSource,
  ...ofCaller('Username', userNameOf(record)),
  Resources: (record.resources ?? []).map(({ type, ARN }) => ({
    ResourceType: type,
    ResourceName: ARN,
  })),
  CloudTrailEvent: line,
})

/** What the service does by itself has no caller. */
const ofCaller = <Name extends 'AccessKeyId' | 'Username'>(
  name: Name,
  value: string | undefined,
): Partial<Record<Name, string>> =>
  value === undefined ? {} : ({ [name]: value } as Record<Name, string>)

/** Of a session of a role it is the session's name. */
function userNameOf({ userIdentity }: AuditRecord): string | undefined {
  const { type, arn, userName } = userIdentity
  return type === 'AssumedRole' ? arn?.slice(arn.lastIndexOf('/') + 1) : userName
}

/** Whether a record has the attribute, compared exactly; every record has no attribute asked for. */
export function matches(record: AuditRecord, attribute: LookupAttribute | null): boolean {
  if (attribute === null) return true
  const { key, value } = attribute
  switch (key) {
    case 'EventId':
      return record.eventID === value
    case 'EventName':
      return record.eventName === value
    case 'ReadOnly':
      return String(record.readOnly) === value
    case 'Username':
      return userNameOf(record) === value
    case 'ResourceType':
      return record.resources?.some(({ type }) => type === value) ?? false
    case 'ResourceName':
      return record.resources?.some(({ ARN }) => ARN === value) ?? false
    case 'EventSource':
      return record.eventSource === value
    case 'AccessKeyId':
      return record.userIdentity.accessKeyId === value
    case 'RequestId':
      return record.requestID === value
    default:
      return key satisfies never
  }
}

/** A test of a record's text that spares parsing most of those that {@link matches} refuses. */
export function lineTest(attribute: LookupAttribute | null): (line: string) => boolean {
  if (attribute === null || attribute.key === 'ReadOnly') return () => true
  // Names of sessions stand at the end of an ARN.
  const needle = JSON.stringify(attribute.value).slice(attribute.key === 'Username' ? 1 : 0)
  return (line) => line.includes(needle)
}
