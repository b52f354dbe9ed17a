/**
 * Who may assume a role (IAM User Guide, "Role trust policies"; AWS STS API reference, AssumeRole and
 * AssumeRoleWithWebIdentity).
 */
import type { Caller } from '../authn/caller.ts'
import type { AccountId } from '../ids.ts'
import { type ContextSource, oidcProviderArn } from './condition-context.ts'
import { type AccessRequest, type Decision, decide, evaluating, inputOf } from './decide.ts'
import { type ResourceSays, resourceSays } from './layers.ts'
import { addressesProvider } from './principals.ts'

/** What is asked of a role; one decision for each action that a call needs. */
export type TrustAction =
  | 'sts:AssumeRole'
  | 'sts:AssumeRoleWithWebIdentity'
  | 'sts:TagSession'
  | 'sts:SetSourceIdentity'

export interface TrustRequest {
  /** A principal; or whom an OIDC issuer vouches for, the issuer named without its scheme. */
  readonly asking: Caller | { readonly kind: 'WebIdentity'; readonly provider: string }
  readonly action: TrustAction
  /** The trust policy's text; `null` when there is no such role. */
  readonly role: {
    readonly arn: string
    readonly account: AccountId
    readonly trustPolicy: string | null
  }
  /** With what the call adds: `sts:ExternalId`, `sts:RoleSessionName`, `aws:RequestTag/…`. */
  readonly context: ContextSource
}

/**
 * Whether a role's trust policy lets somebody assume it. A principal of the role's account that the
 * policy names needs nothing else; one of an account that it names, or of another account, needs its
 * own policies to allow it too. Who comes with a web identity has no policies: the trust policy alone
 * decides, and must name the provider.
 * @throws EvaluationError as `decide`
 */
export function decideTrust({ asking, action, role, context }: TrustRequest): Decision {
  const { arn, account, trustPolicy } = role
  const request = { action, resource: { arn, account }, resourcePolicy: trustPolicy, context }
  return asking.kind === 'WebIdentity'
    ? decideWebIdentity(request, [oidcProviderArn(account, asking.provider), asking.provider])
    : decide({ ...request, caller: asking, style: 'trust' })
}

function decideWebIdentity(
  request: Pick<AccessRequest, 'action' | 'resource' | 'resourcePolicy' | 'context'>,
  providers: readonly string[],
): Decision {
  const says = evaluating((): ResourceSays => {
    const policy = {
      text: request.resourcePolicy,
      kind: 'trust',
      addresses: (principal, effect) =>
        addressesProvider(principal, providers, effect) ? 'caller' : null,
    } as const satisfies Parameters<typeof resourceSays>[0]
    return resourceSays(policy, inputOf(request), null)
  })
  if (says === 'caller') return { allowed: true, by: 'resource-policy' }
  const reason = says === 'denied' ? 'explicit-deny' : 'implicit-deny'
  return { allowed: false, reason, where: 'role-trust' }
}
