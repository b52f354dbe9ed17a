/**
 * Who may assume a role: the role as a request names it, and whether its trust policy lets somebody
 * have a session of it. A role that is not there refuses as one does that trusts nobody.
 */

import type { Caller, Session } from '../authn/caller.ts'
import { splitRoleArn } from '../authn/role-arn.ts'
import {
  type ConditionEntry,
  conditionContext,
  federatedEntries,
  globalEntries,
  requestEntries,
} from '../authz/condition-context.ts'
import { deniedText, trustDeniedText } from '../authz/denied-text.ts'
import { decideTrust, type TrustAction } from '../authz/trust.ts'
import type { AccountId } from '../ids.ts'
import type { RoleRecord, Tag } from '../store/records.ts'
import { principalArn } from '../tenants/principal.ts'
import type { Call } from './operation.ts'

/** A role that a request names. */
export interface NamedRole {
  readonly arn: string
  readonly account: AccountId
  /** `null` when there is none, or its tenant is not active. */
  readonly role: RoleRecord | null
}

/** What somebody asks to have in a session. */
export interface AskedSession {
  readonly sessionName: string
  readonly tags: readonly Tag[]
  readonly transitiveTagKeys: readonly string[]
  readonly sourceIdentity: string | null
  readonly externalId: string | null
  /** Whether it has tags, given now or handed on from the session that asks. */
  readonly isTagged: boolean
}

export type Asking =
  | { readonly kind: 'Caller'; readonly caller: Caller }
  /** Whom an identity provider vouches for. */
  | { readonly kind: 'WebIdentity'; readonly federated: NonNullable<Session['federated']> }

/** What the request tells beside what it asks for. */
export type TrustFacts = Pick<Call, 'region' | 'sourceIp' | 'userAgent' | 'secure' | 'services'>

export interface TrustRefusal {
  readonly action: TrustAction
  /** For who is a principal. */
  readonly text: string
}

/**
 * @returns the role, as far as there is one; `null` when the text is not the ARN of a role
 * @throws StoreUnavailable
 */
export async function findRole(
  arn: string,
  { store, accessKeys }: Call['services'],
): Promise<NamedRole | null> {
  const named = splitRoleArn(arn)
  if (named === null) return null
  const { account, name } = named
  const role = await store.tenants.roleByName(account, name)
  if (role === null || principalArn(role) !== arn) return { arn, account, role: null }
  const active = await accessKeys.principal(account, role.principalId)
  return { arn, account, role: active === null ? null : role }
}

/**
 * @returns why nobody gets the session: the first permission that is missing; `null` when all are there
 * @throws EvaluationError as `decide`
 */
export function trustRefusal(
  asking: Asking,
  asked: AskedSession,
  { arn, account, role }: NamedRole,
  facts: TrustFacts,
): TrustRefusal | null {
  const context = contextOf(asking, asked, { account, role }, facts)
  for (const action of actionsOf(asking, asked)) {
    const named = { arn, account, trustPolicy: role?.trustPolicy ?? null }
    const who =
      asking.kind === 'Caller'
        ? asking.caller
        : ({ kind: 'WebIdentity', provider: asking.federated.provider } as const)
    const decision = decideTrust({ asking: who, action, role: named, context })
    const told = { action, resource: { arn, account } }
    if (asking.kind === 'WebIdentity') {
      if (!decision.allowed) return { action, text: notAuthorized(action) }
      continue
    }
    const { caller } = asking
    if (!decision.allowed) return { action, text: deniedText({ ...told, caller }, decision) }
    // Whoever runs the service is kept from what tenants have, whoever trusts them.
    if (caller.operator && account !== caller.account) {
      return { action, text: trustDeniedText({ ...told, caller }) }
    }
  }
  return null
}

/** What STS says to who is no principal. */
export const notAuthorized = (action: TrustAction): string => `Not authorized to perform ${action}`

const actionsOf = (asking: Asking, asked: AskedSession): readonly TrustAction[] => [
  asking.kind === 'Caller' ? 'sts:AssumeRole' : 'sts:AssumeRoleWithWebIdentity',
  ...(asked.isTagged ? (['sts:TagSession'] as const) : []),
  ...(asked.sourceIdentity === null ? [] : (['sts:SetSourceIdentity'] as const)),
]

/** Source: IAM User Guide, "Available keys for AWS STS" and "Global condition context keys". */
function contextOf(
  asking: Asking,
  asked: AskedSession,
  { account, role }: Pick<NamedRole, 'account' | 'role'>,
  { services, region, sourceIp, userAgent, secure }: TrustFacts,
) {
  const request = { region, sourceIp, userAgent, secure, now: services.clock.now(), via: null }
  const own = (): readonly ConditionEntry[] =>
    asking.kind === 'Caller'
      ? globalEntries({ ...request, caller: asking.caller })
      : [...requestEntries(request), ...federatedEntries(asking.federated, account)]
  let context: ReturnType<typeof conditionContext> | undefined
  return () => {
    context ??= conditionContext([...own(), ...askedEntries(asked), ...roleEntries(account, role)])
    return context
  }
}

const askedEntries = (asked: AskedSession): readonly ConditionEntry[] => [
  ['sts:RoleSessionName', asked.sessionName],
  ['sts:ExternalId', asked.externalId ?? undefined],
  ['sts:SourceIdentity', asked.sourceIdentity ?? undefined],
  ['sts:TransitiveTagKeys', asked.transitiveTagKeys],
  ['aws:TagKeys', asked.tags.map(({ TagKey }) => TagKey)],
  ...tagEntries('aws:RequestTag', asked.tags),
]

const roleEntries = (account: AccountId, role: RoleRecord | null): readonly ConditionEntry[] => [
  ['aws:ResourceAccount', account],
  ...tagEntries('aws:ResourceTag', role?.tags ?? []),
  ...tagEntries('iam:ResourceTag', role?.tags ?? []),
]

const tagEntries = (key: string, tags: readonly Tag[]): readonly ConditionEntry[] =>
  tags.map(({ TagKey, TagValue }) => [`${key}/${TagKey}`, TagValue])
