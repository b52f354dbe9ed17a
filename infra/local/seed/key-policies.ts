/**
 * Whether CreateKey would take a seed's key policy. There the caller must be able to replace the
 * policy later on (AWS KMS API reference, CreateKey, "BypassPolicyLockoutSafetyCheck"). A seed has no
 * caller, so here somebody of the key's account must be: an administrator, or one of its users.
 */
import { type Caller, callerOf } from '../../../shared/authn/caller.ts'
import { parsePolicy } from '../../../shared/authz/policy.ts'
import type { AccountId } from '../../../shared/ids.ts'
import {
  mayUpdateAgain,
  missingPrincipal,
  type PolicyOwner,
} from '../../../shared/pipeline/key-policy.ts'
import type { Call, Services } from '../../../shared/pipeline/operation.ts'
import type { PrincipalRecord, UserRecord } from '../../../shared/store/records.ts'
import { firstAccessKeyIdOf, newPrincipalId } from '../../../shared/tenants/access-key-id.ts'
import { freshUser } from '../../../shared/tenants/principal.ts'
import { ADMINISTRATOR_ACCESS } from '../../../shared/tenants/setup.ts'
import { orFailLater } from './or-fail.ts'
import type { SeedKey, SeedTenant } from './seed.ts'

/**
 * @param tenant - whose users exist by now
 * @throws StartProblem for a policy that names somebody who does not exist, or locks everybody out
 */
export async function requireGoodPolicy(
  { at, document }: NonNullable<SeedKey['policy']>,
  key: PolicyOwner,
  { account, users }: SeedTenant,
  services: Services,
): Promise<void> {
  const { tenants } = services.store
  const { principals } = parsePolicy(document, 'key')
  const missing = await orFailLater(at, missingPrincipal(principals, account, tenants))
  if (missing !== null) at.fail(`This policy names ${missing}, and there is no such principal.`)
  const named = principals.flatMap((principal) => userNameOf(principal, account))
  const names = new Set([...users.map(({ name }) => name), ...named])
  const known = await Promise.all([...names].map((name) => tenants.principalByName(account, name)))
  const callers = [administratorOf(account), ...known.flatMap(asCaller)]
  const isOpen = callers.some((caller) =>
    mayUpdateAgain(document, key, { ...ANY_CALL, services, caller, region: key.region }),
  )
  if (!isOpen) at.fail('This policy lets nobody of the account change it later on.')
}

/** As calls come to a local stack. */
const ANY_CALL = {
  requestId: '',
  sourceIp: '127.0.0.1',
  userAgent: '',
  secure: false,
  via: null,
} as const satisfies Partial<Call>

/** Whoever is let in by the account's own policies; nobody in particular. */
function administratorOf(account: AccountId): Caller {
  const record = { account, principalId: newPrincipalId(), name: 'administrator', createdAt: 0 }
  return callerOfUser(freshUser({ ...record, policies: [ADMINISTRATOR_ACCESS] }))
}

const asCaller = (record: PrincipalRecord | null): readonly Caller[] =>
  record?.kind === 'User' ? [callerOfUser(record)] : []

const callerOfUser = (principal: UserRecord): Caller =>
  callerOf({
    record: { accessKeyId: firstAccessKeyIdOf(principal.principalId) },
    principal,
    policies: principal.policies,
    boundary: null,
    operator: false,
    quotas: {},
  })

/** `arn:aws:iam::111122223333:user/division/alice` → `alice`, when it is of the account */
function userNameOf(principal: string, account: AccountId): readonly string[] {
  const [, , , , of, resource = ''] = principal.split(':')
  const isUser = of === account && resource.startsWith('user/')
  return isUser ? [resource.slice(resource.lastIndexOf('/') + 1)] : []
}
