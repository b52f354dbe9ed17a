/**
 * Callers who do not sign, as a stack on one's own machine may take them: they act as one user. What
 * is signed is verified as ever, and what is signed badly is refused as ever.
 */
import { type AccessKeyId, type AccountId, parseAccessKeyId, type Region } from '../ids.ts'
import type { TenantRepository } from '../store/repositories.ts'
import type { Authentication, Authenticator } from './authenticate.ts'
import { type Caller, callerOf } from './caller.ts'
import { queryParameters } from './canonical-query.ts'
import { Refusal, refuse } from './failure.ts'
import { whyNotLocal } from './local-request.ts'
import { declaredPayload, type Payload } from './payload.ts'
import type { SignedRequest } from './request.ts'

export interface UnsignedOptions {
  readonly account: AccountId
  readonly userName: string
  readonly tenants: Pick<TenantRepository, 'get' | 'principalByName'>
  /** The first is where their calls go, as no signature names another. */
  readonly regions: readonly Region[]
}

/** Stands in the audit trail where an access key would. */
export const UNSIGNED_ACCESS_KEY_ID = 'UNSIGNEDLOCALREQUEST'

/** Signatures of any version in a query. */
const SIGNING_PARAMETERS: ReadonlySet<string> = new Set([
  'awsaccesskeyid',
  'signature',
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-security-token',
  'x-amz-signature',
])

/** @returns what authenticates as before, except that who brings no signature at all is that user */
export const acceptingUnsigned = (
  signed: Pick<Authenticator, 'authenticate' | 'authenticateForm'>,
  options: UnsignedOptions,
): Pick<Authenticator, 'authenticate' | 'authenticateForm'> => ({
  authenticateForm: (form) => signed.authenticateForm(form),
  async authenticate(request, expected) {
    const answer = await signed.authenticate(request, expected)
    if (answer.ok || answer.failure.kind !== 'missing') return answer
    if (bringsSignature(request) || whyNotLocal(request.headers) !== null) return answer
    return (await unsigned(request, options)) ?? answer
  },
})

async function unsigned(
  { headers }: SignedRequest,
  options: UnsignedOptions,
): Promise<Authentication | null> {
  const [region] = options.regions
  const caller = await namedUser(options)
  if (region === undefined || caller === null) return null
  const payload = payloadOf(headers)
  if (payload instanceof Refusal) return { ok: false, failure: payload.failure }
  return { ok: true, caller, region, payload, presigned: false }
}

async function namedUser({ tenants, account, userName }: UnsignedOptions): Promise<Caller | null> {
  const [tenant, principal] = await Promise.all([
    tenants.get(account),
    tenants.principalByName(account, userName),
  ])
  if (tenant?.status !== 'Active' || principal?.kind !== 'User') return null
  return callerOf({
    record: { accessKeyId: parseAccessKeyId(UNSIGNED_ACCESS_KEY_ID) as AccessKeyId },
    principal,
    policies: principal.policies,
    boundary: null,
    operator: tenant.kind === 'operator',
    quotas: tenant.quotas,
  })
}

const bringsSignature = ({ headers, query }: SignedRequest): boolean =>
  headers.has('authorization') ||
  headers.has('x-amz-security-token') ||
  queryParameters(query).some(({ name }) => SIGNING_PARAMETERS.has(name.toLowerCase()))

/** What is said of the body counts; signed chunks cannot be, as nothing seeds their chain. */
function payloadOf(headers: SignedRequest['headers']): Payload | Refusal {
  const [given] = headers.get('x-amz-content-sha256') ?? []
  if (given === undefined) {
    return { kind: headers.has('x-amz-trailer') ? 'unsigned-trailer' : 'unsigned' }
  }
  const declared = declaredPayload(given)
  if (declared instanceof Refusal) return declared
  switch (declared.kind) {
    case 'hash':
      return { kind: 'hash', sha256: declared.text }
    case 'unsigned':
    case 'unsigned-trailer':
      return { kind: declared.kind }
    case 'signed-chunks':
    case 'signed-chunks-trailer':
      return refuse({ kind: 'bad-payload-hash', given })
    default:
      return declared.kind satisfies never
  }
}
