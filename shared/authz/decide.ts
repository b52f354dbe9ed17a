/**
 * Whether a caller may do what it asks (IAM User Guide, "Policy evaluation logic"; KMS Developer
 * Guide, "Key policies in AWS KMS" and "Troubleshooting AWS KMS permissions").
 *
 * An explicit deny wins over everything. Then, within one account, a key's policy allows the caller
 * by itself when it names the caller; when it names only the account, identity policies decide; when
 * it does neither, identity policies cannot allow. Across accounts both sides must allow. Where nothing
 * denies and nothing allows, a grant may (KMS Developer Guide, "Grants in AWS KMS").
 */
import type { Caller } from '../authn/caller.ts'
import type { AccountId } from '../ids.ts'
import { splitArn } from './arn-pattern.ts'
import type { ContextSource } from './condition-context.ts'
import { isCrossAccountAction } from './cross-account.ts'
import { foldCase } from './fold-case.ts'
import { compilePolicy } from './policy.ts'
import { nameCaller, spareCaller } from './principals.ts'
import { applies, type Statement, type StatementInput } from './statement.ts'

export interface AccessRequest {
  readonly caller: Caller
  /** `kms:Encrypt` */
  readonly action: string
  /** `null` for an operation without a resource: a policy must then say `*`. */
  readonly resource: { readonly arn: string; readonly account: AccountId } | null
  /** The key policy's text; `null` for what has none, and for a key that is not there. */
  readonly resourcePolicy: string | null
  /** Called when a condition or variable first asks; see `requestContext`. */
  readonly context: ContextSource
  /**
   * `kms`: the key policy must allow, or leave it to the account. `service`: identity policies
   * decide, a resource policy may allow too (aliases, S3, STS, CloudTrail, operations without
   * resource).
   */
  readonly style: 'kms' | 'service'
}

export type PolicySide = 'identity-based' | 'resource-based'

export type Decision =
  | { readonly allowed: true; readonly by: 'key-policy' | 'identity-policy' | 'grant' }
  | Denied

/**
 * What a grant that covers the request adds: it allows by itself, or in the place of the key policy
 * only, so that the caller's identity policies must allow too.
 */
export type GrantEffect = 'allows' | 'needs-identity'

export interface Denied {
  readonly allowed: false
  readonly reason: 'explicit-deny' | 'implicit-deny'
  /** The kind of policy that denied, or that was missing an allow. */
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
export function decide(request: AccessRequest, grant: GrantEffect | null = null): Decision {
  try {
    const { caller, resource } = request
    const input = inputOf(request)
    return resource === null || resource.account === caller.account
      ? decideWithinAccount(request, input, grant)
      : decideAcrossAccounts(request, input, grant)
  } catch (cause) {
    throw new EvaluationError('A policy could not be evaluated.', { cause })
  }
}

/**
 * Where neither side allows, the caller's own is named: whoever may use no keys does not learn from
 * the words whether there is one.
 */
function decideWithinAccount(
  request: AccessRequest,
  input: StatementInput,
  grant: GrantEffect | null,
): Decision {
  const resource = evaluateResourcePolicy(request, input)
  if (resource === 'denied') return denied('explicit-deny', 'resource-based')
  const identity = evaluateIdentityPolicies(request, input)
  if (identity === 'denied') return denied('explicit-deny', 'identity-based')
  if (resource === 'allowed') return { allowed: true, by: 'key-policy' }
  if (grant === 'allows') return { allowed: true, by: 'grant' }
  if (identity === 'silent') return denied('implicit-deny', 'identity-based')
  if (grant !== null) return { allowed: true, by: 'grant' }
  return request.style === 'kms' && resource === 'silent'
    ? denied('implicit-deny', 'resource-based')
    : { allowed: true, by: 'identity-policy' }
}

/**
 * The caller's own side is looked at first, and to the end: what another account's policy says, or
 * whether its key exists, shows only to callers whose own account lets them ask.
 */
function decideAcrossAccounts(
  request: AccessRequest,
  input: StatementInput,
  grant: GrantEffect | null,
): Decision {
  const identity = evaluateIdentityPolicies(request, input)
  if (identity === 'denied') return denied('explicit-deny', 'identity-based')
  if (identity === 'silent' && grant !== 'allows') return denied('implicit-deny', 'identity-based')
  const resource = evaluateResourcePolicy(request, input)
  if (resource === 'denied') return denied('explicit-deny', 'resource-based')
  const possible = request.style === 'service' || isCrossAccountAction(input.action)
  if (possible && grant !== null) return { allowed: true, by: 'grant' }
  return possible && resource !== 'silent'
    ? { allowed: true, by: 'identity-policy' }
    : denied('implicit-deny', 'resource-based')
}

const denied = (reason: Denied['reason'], where: PolicySide): Denied => ({
  allowed: false,
  reason,
  where,
})

/** What the caller's identity policies say, all together. */
function evaluateIdentityPolicies(
  { caller }: AccessRequest,
  input: StatementInput,
): 'denied' | 'allowed' | 'silent' {
  let allowed = false
  for (const { document } of caller.policies) {
    for (const statement of compilePolicy(document, 'identity').statements) {
      const matters = statement.effect === 'Deny' || !allowed
      if (!matters || !applies(statement, input)) continue
      if (statement.effect === 'Deny') return 'denied'
      allowed = true
    }
  }
  return allowed ? 'allowed' : 'silent'
}

/** What the resource's policy says: `delegated` when it allows the caller's account only. */
function evaluateResourcePolicy(
  { caller, resourcePolicy }: AccessRequest,
  input: StatementInput,
): 'denied' | 'allowed' | 'delegated' | 'silent' {
  let answer: 'allowed' | 'delegated' | 'silent' = 'silent'
  if (resourcePolicy === null) return answer
  for (const statement of compilePolicy(resourcePolicy, 'key').statements) {
    const who = speaksOf(statement, caller)
    if (who === null || !applies(statement, input)) continue
    if (statement.effect === 'Deny') return 'denied'
    if (answer !== 'allowed') answer = who === 'caller' ? 'allowed' : 'delegated'
  }
  return answer
}

/** Whether a key policy's statement speaks of the caller as such, or only of its account. */
function speaksOf({ principal }: Statement, caller: Caller): 'caller' | 'account' | null {
  if (principal === null) return null
  const { principals, negated } = principal
  if (negated) return spareCaller(principals, caller) ? null : 'caller'
  if (nameCaller(principals, caller)) return 'caller'
  return principals.accounts.has(caller.account) ? 'account' : null
}

function inputOf({ action, resource, context }: AccessRequest): StatementInput {
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

function requireArn(arn: string) {
  const fields = splitArn(arn)
  if (fields === null) throw new TypeError(`${arn} is not an ARN`)
  return fields
}
