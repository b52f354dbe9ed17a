/** Sessions of roles for those whom a provider vouches for: checked, begun and recorded. */
import { buildRecord } from '../../shared/audit/build-record.ts'
import { assumedRoleId, type Session, sessionArn } from '../../shared/authn/caller.ts'
import { type ApiError, QueryError } from '../../shared/errors.ts'
import { toQueryError, type UnsignedCall } from '../../shared/lambda/query-stack.ts'
import { type NamedRole, notAuthorized, trustRefusal } from '../../shared/pipeline/role-trust.ts'
import {
  type AssumeRoleResponse,
  recordedSession,
  roleResource,
  withinRole,
} from './assume-role.ts'
import { credentialsOf } from './credentials.ts'
import { limitsOf, packedPercent } from './session-limits.ts'
import type { SessionTags } from './session-tags.ts'

export interface FederatedRequest {
  readonly eventName: string
  readonly named: NamedRole
  readonly federated: NonNullable<Session['federated']>
  readonly sessionName: string
  /** What the provider wants the session to have. @throws QueryError */
  claimed(): SessionTags & { readonly sourceIdentity: string | null }
  readonly policy: string | undefined
  readonly policyArns: readonly { readonly arn?: string }[] | undefined
  readonly durationSeconds: number | undefined
  /** What the record shows beside the session. */
  readonly recorded: Readonly<Record<string, string>>
}

const DEFAULT_SECONDS = 3600

/**
 * The record is durable before the answer is given.
 * @throws ApiError as STS words it
 */
export async function beginFederated(
  request: FederatedRequest,
  call: UnsignedCall,
): Promise<AssumeRoleResponse> {
  let output: AssumeRoleResponse | undefined
  let failure: ApiError | null = null
  try {
    output = await begin(request, call)
  } catch (error) {
    failure = toQueryError(error)
  }
  await record(request, output, failure, call)
  if (output === undefined) throw failure ?? new Error('There is neither an answer nor an error.')
  return output
}

async function begin(request: FederatedRequest, call: UnsignedCall): Promise<AssumeRoleResponse> {
  const { named, federated, sessionName, policy, policyArns } = request
  const { role, account } = named
  const claimed = request.claimed()
  const isTagged = claimed.tags.length > 0
  const asked = { ...claimed, sessionName, externalId: null, isTagged }
  const refusal = trustRefusal({ kind: 'WebIdentity', federated }, asked, named, call)
  if (refusal !== null || role === null) {
    const text = refusal?.text ?? notAuthorized('sts:AssumeRoleWithWebIdentity')
    throw new QueryError('AccessDenied', 403, text)
  }
  const durationSeconds = withinRole(request.durationSeconds ?? DEFAULT_SECONDS, role)
  const limits = await limitsOf(policy, policyArns, account, call.services)
  const PackedPolicySize = packedPercent({ tags: claimed.tags, limits })
  const { principalId } = role
  const plan = { account, principalId, sessionName, durationSeconds, limits, federated }
  const issued = await call.services.sessions.begin({ ...plan, ...claimed })
  return {
    Credentials: credentialsOf(issued),
    AssumedRoleUser: {
      AssumedRoleId: assumedRoleId(role, sessionName),
      Arn: sessionArn(account, role.name, sessionName),
    },
    PackedPolicySize,
    SourceIdentity: claimed.sourceIdentity ?? undefined,
  }
}

/** In the ledger of the role's tenant, if there is one. */
async function record(
  { eventName, named, federated, sessionName, ...request }: FederatedRequest,
  output: AssumeRoleResponse | undefined,
  failure: ApiError | null,
  call: UnsignedCall,
): Promise<void> {
  const { account, arn: roleArn } = named
  const { store, wallClock, ledger } = call.services
  if ((await store.tenants.get(account)) === null) return
  const { policy, policyArns, durationSeconds, recorded } = request
  const entry = buildRecord({
    caller: { kind: 'WebIdentity', account, federated },
    eventTime: wallClock.now(),
    eventSource: 'sts.amazonaws.com',
    eventName,
    region: call.region,
    sourceIp: call.sourceIp,
    userAgent: call.userAgent,
    ...(failure === null ? {} : { error: { code: failure.code, message: failure.text } }),
    requestParameters: {
      roleArn,
      roleSessionName: sessionName,
      policy,
      policyArns,
      durationSeconds,
    },
    responseElements: output === undefined ? null : { ...recordedSession(output), ...recorded },
    requestId: call.requestId,
    readOnly: true,
    resources: [roleResource(roleArn)],
    category: 'Management',
  })
  await ledger.append(account, call.region, entry)
}
