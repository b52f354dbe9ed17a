/** A call that was made, from its record: enough of it to decide it again. */

import { lookup } from '../audit/lookup.ts'
import type { CallRecord } from '../audit/record.ts'
import type { Caller } from '../authn/caller.ts'
import { JsonError } from '../errors.ts'
import { subjectOf } from './access-subject.ts'
import type { Call, RequestConditions } from './operation.ts'

/** How far back is looked, when nothing else is said. */
const DEFAULT_DAYS = 7
const DAY_MS = 86_400_000
/** Each reads up to 8 MiB of the ledger. */
const MAX_PAGES = 8

export type PastCallId = {
  readonly key: 'RequestId' | 'EventId'
  readonly value: string
}

/**
 * @param since - looks at no older records
 * @throws JsonError NoSuchEntityException when the account has no such record of a call of KMS
 */
export async function recordOf(
  id: PastCallId,
  since: Date | undefined,
  { caller, region, services }: Call,
): Promise<CallRecord> {
  const start = since?.getTime() ?? services.wallClock.now() - DEFAULT_DAYS * DAY_MS
  let after = null
  for (let page = 0; page < MAX_PAGES; page++) {
    const found = await lookup(services.store.ledger, {
      account: caller.account,
      region,
      start,
      end: null,
      attribute: id,
      limit: 1,
      after,
    })
    const [event] = found.events
    if (event !== undefined && event.EventSource === 'kms.amazonaws.com') {
      return JSON.parse(event.CloudTrailEvent) as CallRecord
    }
    after = found.next
    if (after === null) break
  }
  throw new JsonError(
    'NoSuchEntityException',
    `There is no record of a call of KMS with this ${id.key} in this account and Region.`,
  )
}

/** The permissions that a call needs on keys, each with the place of its key among the record's resources. */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  ReEncrypt: ['kms:ReEncryptFrom', 'kms:ReEncryptTo'],
}

export interface PastUse {
  readonly action: string
  /** ARN of the key, or what the request called it. */
  readonly key: string
  readonly conditions: RequestConditions
}

/** @returns what the call did with keys, in the order in which that was decided */
export function usesOf({
  eventName,
  resources = [],
  requestParameters,
}: CallRecord): readonly PastUse[] {
  const actions = ACTIONS[eventName] ?? [`kms:${eventName}`]
  const keys = resources.filter(({ type }) => type === 'AWS::KMS::Key').map(({ ARN }) => ARN)
  const parameters = requestParameters ?? {}
  return actions.flatMap((action, at) => {
    const key = keys[at] ?? (at === 0 ? textOf(parameters.keyId) : undefined)
    return key === undefined ? [] : [{ action, key, conditions: conditionsOf(action, parameters) }]
  })
}

function conditionsOf(
  action: string,
  parameters: NonNullable<CallRecord['requestParameters']>,
): RequestConditions {
  const prefix =
    action === 'kms:ReEncryptFrom' ? 'source' : action === 'kms:ReEncryptTo' ? 'destination' : ''
  const named = (name: string): unknown =>
    parameters[prefix === '' ? name : `${prefix}${name.charAt(0).toUpperCase()}${name.slice(1)}`]
  const context = named('encryptionContext')
  const algorithm = textOf(named('encryptionAlgorithm'))
  return {
    ...(isTexts(context) ? { encryptionContext: context } : {}),
    ...(algorithm === undefined ? {} : { encryptionAlgorithm: algorithm }),
  }
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined

const isTexts = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).every((each) => typeof each === 'string')

/**
 * The circumstances in which it was made: who, when and from where.
 * @throws JsonError NoSuchEntityException when its caller is no more
 */
export async function circumstancesOf(
  record: CallRecord,
  call: Call,
): Promise<{ readonly caller: Caller; readonly call: Call }> {
  const { arn, accountId } = record.userIdentity
  const caller =
    accountId === call.caller.account && arn !== undefined
      ? await subjectOf(arn, call.caller.account, call)
      : null
  if (caller === null) {
    const who = arn ?? record.userIdentity.principalId
    throw new JsonError('NoSuchEntityException', `${who} made the call, and is no more.`)
  }
  const then = Date.parse(record.eventTime)
  return {
    caller,
    call: {
      ...call,
      sourceIp: record.sourceIPAddress,
      userAgent: record.userAgent,
      via: record.userIdentity.invokedBy === 's3.amazonaws.com' ? 's3' : null,
      services: { ...call.services, clock: { now: () => then } },
    },
  }
}
