import { buildRecord } from '../../shared/audit/build-record.ts'
import { JsonError } from '../../shared/errors.ts'
import { requireGrantable } from '../../shared/keys/grants.ts'
import { parseKeyReference } from '../../shared/keys/key-reference.ts'
import { grantable, requireState } from '../../shared/keys/key-states.ts'
import { type FoundKey, referenceMissing } from '../../shared/keys/keys.ts'
import { grantOperation } from '../../shared/pipeline/kms-members.ts'
import type { Call, Operation } from '../../shared/pipeline/operation.ts'
import { operatorPermission } from '../../shared/pipeline/operators.ts'
import {
  type Input,
  integer,
  list,
  required,
  string,
  structure,
} from '../../shared/pipeline/shape.ts'

const DEFAULT_SECONDS = 3600

const request = structure({
  KeyArn: required(
    string({ min: 20, max: 2048, pattern: /^arn:aws:kms:[a-z0-9-]+:\d{12}:key\/.+$/ }),
  ),
  Operations: required(list(grantOperation, { min: 1, max: 20 })),
  /** At most four hours. */
  DurationSeconds: integer({ min: 60, max: 14_400 }),
  Reason: required(string({ min: 8, max: 512 })),
})
type CreateBreakGlassGrantRequest = Input<typeof request>

export interface CreateBreakGlassGrantResponse {
  readonly GrantId: string
  /** Seconds since the epoch. */
  readonly EndDate: number
}

/**
 * Lets the operator who asks use a key of a tenant for a while, in an emergency. It is a grant: the
 * tenant sees it among those of its key and can revoke it, and what the tenant's policies deny stays
 * denied. That it was made, by whom and why, is in the tenant's audit trail before it takes effect.
 */
export const createBreakGlassGrant: Operation<
  CreateBreakGlassGrantRequest,
  CreateBreakGlassGrantResponse
> = {
  service: 'keyhold',
  name: 'CreateBreakGlassGrant',
  input: request,
  readOnly: false,
  permissions: ({ KeyArn }, call) =>
    operatorPermission('keyhold:CreateBreakGlassGrant', KeyArn.split(':')[4] ?? '', call),
  async run(input, _keys, call) {
    const { caller, services } = call
    const { key, arn, state } = await requireKey(input.KeyArn, call)
    const operations = [...new Set(input.Operations)]
    if (operations.some((operation) => /^(?:Create|Retire)Grant$/.test(operation))) {
      throw new JsonError('InvalidInputException', 'Such a grant cannot allow further grants.')
    }
    requireGrantable({ operations, constraints: null }, key)
    requireState(state, arn, grantable)
    const seconds = input.DurationSeconds ?? DEFAULT_SECONDS
    const breakGlassUntil = services.clock.now() + seconds * 1000
    await tellTenant(input, key, arn, breakGlassUntil, call)
    const { account, region, keyId } = key
    const { grantId } = await services.grants.create({
      account,
      region,
      keyId,
      name: null,
      issuingAccount: caller.account,
      grantee: `${caller.account}/${caller.principalId}`,
      retiring: null,
      operations,
      constraints: null,
      breakGlassUntil,
    })
    return { GrantId: grantId, EndDate: breakGlassUntil / 1000 }
  },
  audit: {
    requestParameters: (input) => shown(input),
    responseElements: ({ GrantId, EndDate }) => ({ grantId: GrantId, endDate: EndDate }),
  },
}

/** @throws JsonError NotFoundException, and ValidationException for a key of another Region */
async function requireKey(text: string, call: Call): Promise<FoundKey> {
  const { caller, region, services } = call
  const reference = parseKeyReference(text, { account: caller.account, region }, false)
  const found = await services.keys.find(reference, region, true)
  if (found === null) throw referenceMissing(reference, region)
  return found
}

const shown = ({ KeyArn, Operations, DurationSeconds, Reason }: CreateBreakGlassGrantRequest) => ({
  keyArn: KeyArn,
  operations: Operations,
  durationSeconds: DurationSeconds ?? DEFAULT_SECONDS,
  reason: Reason,
})

/** The same record as in the operators' own trail, where the tenant sees it. */
async function tellTenant(
  input: CreateBreakGlassGrantRequest,
  { account, region }: FoundKey['key'],
  arn: string,
  until: number,
  { caller, services, requestId, sourceIp, userAgent }: Call,
): Promise<void> {
  const record = buildRecord({
    caller,
    eventTime: services.wallClock.now(),
    eventSource: 'keyhold.amazonaws.com',
    eventName: 'CreateBreakGlassGrant',
    region,
    sourceIp,
    userAgent,
    requestParameters: shown(input),
    responseElements: { endDate: until / 1000 },
    requestId,
    readOnly: false,
    resources: [{ accountId: account, type: 'AWS::KMS::Key', ARN: arn }],
    category: 'Management',
    recipient: account,
  })
  await services.ledger.append(account, region, record)
}
