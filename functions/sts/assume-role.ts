import { assumedRoleId, sessionArn } from '../../shared/authn/caller.ts'
import { QueryError } from '../../shared/errors.ts'
import type { QueryOperation } from '../../shared/lambda/query-stack.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import { type AskedSession, findRole, trustRefusal } from '../../shared/pipeline/role-trust.ts'
import { type Input, required, string, structure } from '../../shared/pipeline/shape.ts'
import type { RoleRecord } from '../../shared/store/records.ts'
import {
  type Credentials,
  credentialsOf,
  noSecondFactor,
  recordedCredentials,
} from './credentials.ts'
import { limitsOf, packedPercent } from './session-limits.ts'
import { givenTags, withTransitive } from './session-tags.ts'
import {
  arn,
  policyArns,
  roleDuration,
  roleSessionName,
  serialNumber,
  sourceIdentity,
  tagKeyList,
  tagList,
  tokenCode,
  unrestrictedPolicy,
} from './sts-members.ts'

const request = structure({
  RoleArn: required(arn),
  RoleSessionName: required(roleSessionName),
  PolicyArns: policyArns,
  Policy: unrestrictedPolicy,
  DurationSeconds: roleDuration,
  Tags: tagList,
  TransitiveTagKeys: tagKeyList,
  ExternalId: string({
    min: 2,
    max: 1224,
    pattern: /^[\w+=,.@:/-]*$/,
    patternText: '[\\w+=,.@:\\/-]*',
  }),
  SerialNumber: serialNumber,
  TokenCode: tokenCode,
  SourceIdentity: sourceIdentity,
})
type AssumeRoleRequest = Input<typeof request>

export interface AssumeRoleResponse extends Readonly<Record<string, unknown>> {
  readonly Credentials: Credentials
  readonly AssumedRoleUser: { readonly AssumedRoleId: string; readonly Arn: string }
  readonly PackedPolicySize: number | undefined
  readonly SourceIdentity: string | undefined
}

const DEFAULT_SECONDS = 3600
/** Of sessions that are begun by a session. */
const MAX_CHAINED_SECONDS = 3600

/** Temporary credentials of a role, for a principal whom the role trusts. */
export const assumeRole: QueryOperation<AssumeRoleRequest> = {
  service: 'sts',
  name: 'AssumeRole',
  input: request,
  readOnly: true,
  async run(input, _keys, call): Promise<AssumeRoleResponse> {
    const { caller, services } = call
    if (input.SerialNumber !== undefined || input.TokenCode !== undefined) throw noSecondFactor()
    const asked = askedSession(input, call)
    const role = await trustingRole(input.RoleArn, asked, call)
    const durationSeconds = durationOf(input.DurationSeconds, role, call)
    const { Policy, PolicyArns, RoleSessionName: sessionName } = input
    const { account, principalId } = role
    const limits = await limitsOf(Policy, PolicyArns, account, services)
    const { tags, transitiveTagKeys } = withTransitive(givenTags(input), caller.session)
    const PackedPolicySize = packedPercent({ tags, limits })
    const issued = await services.sessions.begin({
      account,
      principalId,
      sessionName,
      durationSeconds,
      tags,
      transitiveTagKeys,
      limits,
      sourceIdentity: asked.sourceIdentity,
      federated: null,
    })
    return {
      Credentials: credentialsOf(issued),
      AssumedRoleUser: {
        AssumedRoleId: assumedRoleId(role, sessionName),
        Arn: sessionArn(account, role.name, sessionName),
      },
      PackedPolicySize,
      SourceIdentity: asked.sourceIdentity ?? undefined,
    }
  },
  audit: {
    requestParameters: (input) => ({
      roleArn: input.RoleArn,
      roleSessionName: input.RoleSessionName,
      policy: input.Policy,
      policyArns: input.PolicyArns,
      durationSeconds: input.DurationSeconds,
      externalId: input.ExternalId,
      sourceIdentity: input.SourceIdentity,
      tags: input.Tags?.map(({ Key, Value }) => ({ key: Key, value: Value })),
      transitiveTagKeys: input.TransitiveTagKeys,
    }),
    responseElements: (output) => recordedSession(output as AssumeRoleResponse),
    resources: ({ RoleArn }) => [roleResource(RoleArn)],
  },
}

/** What a record shows of a session that began. */
export const recordedSession = ({
  Credentials,
  AssumedRoleUser,
  PackedPolicySize,
  SourceIdentity,
}: AssumeRoleResponse) => ({
  credentials: recordedCredentials(Credentials),
  assumedRoleUser: {
    assumedRoleId: AssumedRoleUser.AssumedRoleId,
    arn: AssumedRoleUser.Arn,
  },
  packedPolicySize: PackedPolicySize,
  sourceIdentity: SourceIdentity,
})

export const roleResource = (roleArn: string) => ({
  accountId: roleArn.split(':')[4] ?? '',
  type: 'AWS::IAM::Role',
  ARN: roleArn,
})

/** A source identity goes with everything that follows from a session, and is never another. */
function askedSession(input: AssumeRoleRequest, { caller }: Call): AskedSession {
  const given = givenTags(input)
  const before = caller.session?.sourceIdentity ?? null
  if (before !== null && input.SourceIdentity !== undefined && input.SourceIdentity !== before) {
    throw new QueryError(
      'AccessDenied',
      403,
      `User: ${caller.arn} is not authorized to perform: sts:SetSourceIdentity on resource: ${input.RoleArn}`,
    )
  }
  return {
    ...given,
    sessionName: input.RoleSessionName,
    sourceIdentity: input.SourceIdentity ?? before,
    externalId: input.ExternalId ?? null,
    isTagged: given.tags.length > 0 || (caller.session?.transitiveTags.length ?? 0) > 0,
  }
}

/** @throws QueryError AccessDenied, in the same words whether the role is there or not */
async function trustingRole(roleArn: string, asked: AskedSession, call: Call): Promise<RoleRecord> {
  const named = await findRole(roleArn, call.services)
  if (named === null) throw new QueryError('ValidationError', 400, `${roleArn} is invalid`)
  const refusal = trustRefusal({ kind: 'Caller', caller: call.caller }, asked, named, call)
  if (refusal !== null) throw new QueryError('AccessDenied', 403, refusal.text)
  if (named.role === null) throw new Error('A role that is not there trusts nobody.')
  return named.role
}

/** @throws QueryError ValidationError */
function durationOf(given: number | undefined, role: RoleRecord, { caller }: Call): number {
  const seconds = given ?? DEFAULT_SECONDS
  if (caller.session !== null && seconds > MAX_CHAINED_SECONDS) {
    throw new QueryError(
      'ValidationError',
      400,
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    )
  }
  return withinRole(seconds, role)
}

/** @throws QueryError ValidationError */
export function withinRole(seconds: number, { maxSessionSeconds }: RoleRecord): number {
  if (seconds <= maxSessionSeconds) return seconds
  throw new QueryError(
    'ValidationError',
    400,
    'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
  )
}
