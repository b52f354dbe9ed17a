/**
 * Whether a caller may do what it asks (IAM User Guide, "Policy evaluation logic"; KMS Developer
 * Guide, "Key policies in AWS KMS" and "Troubleshooting AWS KMS permissions").
 *
 * An explicit deny wins over everything. Then, within one account, a resource's policy allows the
 * caller by itself when it names the user, the session or everyone; when it names the session's role,
 * the permissions boundary and the session's policies must allow too; when it names only the account,
 * identity policies decide within both of these limits; when a key's policy does none of that,
 * identity policies cannot allow. Across accounts both sides must allow. Where nothing denies and
 * nothing allows, a grant may (KMS Developer Guide, "Grants in AWS KMS").
 */
import type { Caller } from '../authn/caller.ts'
import type { AccountId } from '../ids.ts'
import { splitArn } from './arn-pattern.ts'
import type { ContextSource } from './condition-context.ts'
import { isCrossAccountAction } from './cross-account.ts'
import { foldCase } from './fold-case.ts'
import { addressing, type Layers, layersOf, type Watch } from './layers.ts'
import type { PolicyKind } from './policy-kinds.ts'
import type { StatementInput } from './statement.ts'

export interface AccessRequest {
  readonly caller: Caller
  /** `kms:Encrypt` */
  readonly action: string
  /** `null` for an operation without a resource: a policy must then say `*`. */
  readonly resource: { readonly arn: string; readonly account: AccountId } | null
  /** The text of the resource's policy; `null` for what has none, and for a key that is not there. */
  readonly resourcePolicy: string | null
  /** Called when a condition or variable first asks; see `requestContext`. */
  readonly context: ContextSource
  /**
   * `kms`: the key policy must allow, or leave it to the account. `trust`: so must a role's trust
   * policy. `service`: identity policies decide, a resource policy may allow too (S3 with a bucket
   * policy; aliases, STS, CloudTrail, operations without resource).
   */
  readonly style: 'kms' | 'service' | 'trust'
}

/**
 * The kind of policy that denied, or that was missing an allow. `service-control`: what operators are
 * kept from, whatever policies say.
 */
export type PolicySide =
  | 'identity-based'
  | 'resource-based'
  | 'permissions-boundary'
  | 'session'
  | 'service-control'
  | 'role-trust'

export type Decision =
  | { readonly allowed: true; readonly by: 'resource-policy' | 'identity-policy' | 'grant' }
  | Denied

/**
 * What a grant that covers the request adds. `allows`: it allows by itself, within the limits that the
 * caller has. `needs-identity`: it stands in the place of the key policy only, so that the caller's
 * identity policies must allow too. `break-glass`: as `allows`, and for operators too.
 */
export type GrantEffect = 'allows' | 'needs-identity' | 'break-glass'

export interface Denied {
  readonly allowed: false
  readonly reason: 'explicit-deny' | 'implicit-deny'
  readonly where: PolicySide
}

/** A decision could not be reached. Nothing is allowed then. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError'
}

/**
 * @param grant - of a grant for this caller that covers the request, when there is one
 * @returns the decision; never an allow that no policy and no grant gives
 * @throws EvaluationError when a policy does not compile or its evaluation fails; the caller of this
 *   function must treat that as an internal error
 */
export const decide = (request: AccessRequest, grant: GrantEffect | null = null): Decision =>
  evaluating(() => combine(request, layersFor(request, null), grant))

/** @throws EvaluationError in the place of anything else */
export function evaluating<Answer>(evaluate: () => Answer): Answer {
  try {
    return evaluate()
  } catch (cause) {
    throw new EvaluationError('A policy could not be evaluated.', { cause })
  }
}

const KIND: Readonly<Record<AccessRequest['style'], PolicyKind>> = {
  kms: 'key',
  service: 'bucket',
  trust: 'trust',
}

/** What the policies of both sides say of a request, once they are asked. */
export function layersFor(request: AccessRequest, watch: Watch | null): Layers {
  const { caller, resourcePolicy, style } = request
  const resource = { text: resourcePolicy, kind: KIND[style], addresses: addressing(caller) }
  return layersOf(caller, resource, inputOf(request), watch)
}

/** What statements are matched against. */
export function inputOf({
  action,
  resource,
  context,
}: Pick<AccessRequest, 'action' | 'resource' | 'context'>): StatementInput {
  return {
    action: foldCase(action),
    resource: resource === null ? null : requireArn(resource.arn),
    context,
    lookup: (key) => {
      const value = context().get(key)
      return typeof value === 'string' ? value : null
    },
  }
}

/** The grant that does most for its grantee, of those that cover a request. */
export function strongestGrant(effects: Iterable<GrantEffect | null>): GrantEffect | null {
  let strongest: GrantEffect | null = null
  for (const effect of effects) {
    if (effect === 'break-glass') return effect
    if (effect === 'allows' || strongest === null) strongest = effect
  }
  return strongest
}

/**
 * The decision, from what each layer says.
 * @param says - whose layers are asked in the order that decides
 */
export function combine(request: AccessRequest, says: Layers, grant: GrantEffect | null): Decision {
  const { caller, resource, action } = request
  if (caller.operator && grant !== 'break-glass' && isOfTenants(action)) {
    return denied('implicit-deny', 'service-control')
  }
  return resource === null || resource.account === caller.account
    ? withinAccount(request, says, grant)
    : acrossAccounts(request, says, grant)
}

/** Whether an action is one by which tenants use their keys and objects: no operator may. */
const isOfTenants = (action: string): boolean => /^(?:kms|s3):/i.test(action)

/**
 * Where neither side allows, the caller's own is named: whoever may use no keys does not learn from
 * the words whether there is one.
 */
function withinAccount(request: AccessRequest, says: Layers, grant: GrantEffect | null): Decision {
  const resource = says.resource()
  if (resource === 'denied') return denied('explicit-deny', resourceSide(request))
  const own = ownSide(says)
  if (own.denies !== null) return denied('explicit-deny', own.denies)
  if (resource === 'caller') return { allowed: true, by: 'resource-policy' }
  const isNamed = resource === 'role' || isForPrincipal(grant)
  if (!isNamed && !own.allows) return denied('implicit-deny', 'identity-based')
  if (own.limit !== null) return denied('implicit-deny', own.limit)
  if (resource === 'role') return { allowed: true, by: 'resource-policy' }
  const decides = request.style === 'service' || resource === 'account'
  if (own.allows && decides) return { allowed: true, by: 'identity-policy' }
  return grant === null
    ? denied('implicit-deny', resourceSide(request))
    : { allowed: true, by: 'grant' }
}

/**
 * The caller's own side is looked at first, and to the end: what another account's policy says, or
 * whether its key exists, shows only to callers whose own account lets them ask.
 */
function acrossAccounts(request: AccessRequest, says: Layers, grant: GrantEffect | null): Decision {
  const own = ownSide(says)
  if (own.denies !== null) return denied('explicit-deny', own.denies)
  if (!own.allows && !isForPrincipal(grant)) return denied('implicit-deny', 'identity-based')
  if (own.limit !== null) return denied('implicit-deny', own.limit)
  const resource = says.resource()
  if (resource === 'denied') return denied('explicit-deny', resourceSide(request))
  const isPossible = request.style !== 'kms' || isCrossAccountAction(foldCase(request.action))
  if (isPossible && own.allows && resource !== 'silent') {
    return { allowed: true, by: 'identity-policy' }
  }
  return isPossible && grant !== null
    ? { allowed: true, by: 'grant' }
    : denied('implicit-deny', resourceSide(request))
}

/** Whether a grant is for the caller itself, not for all whom its account lets. */
const isForPrincipal = (grant: GrantEffect | null): boolean =>
  grant === 'allows' || grant === 'break-glass'

interface OwnSide {
  readonly denies: PolicySide | null
  /** Whether an identity policy allows. */
  readonly allows: boolean
  /** The limit of the caller that does not allow. */
  readonly limit: PolicySide | null
}

/** What the policies say that come with the caller. */
function ownSide(says: Layers): OwnSide {
  const identity = says.identity()
  if (identity === 'denied') return denying('identity-based')
  const boundary = says.boundary()
  if (boundary === 'denied') return denying('permissions-boundary')
  const session = says.session()
  if (session === 'denied') return denying('session')
  const limit = session === 'silent' ? 'session' : null
  return {
    denies: null,
    allows: identity === 'allowed',
    limit: boundary === 'silent' ? 'permissions-boundary' : limit,
  }
}

const denying = (denies: PolicySide): OwnSide => ({ denies, allows: false, limit: null })

const resourceSide = ({ style }: AccessRequest): PolicySide =>
  style === 'trust' ? 'role-trust' : 'resource-based'

const denied = (reason: Denied['reason'], where: PolicySide): Denied => ({
  allowed: false,
  reason,
  where,
})

function requireArn(arn: string) {
  const fields = splitArn(arn)
  if (fields === null) throw new TypeError(`${arn} is not an ARN`)
  return fields
}
