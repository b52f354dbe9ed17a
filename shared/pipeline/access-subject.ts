/** Principals about whose access somebody asks: as callers, without a call of theirs. */
import { type Caller, callerOf, sessionCallerOf } from '../authn/caller.ts'
import { splitArn } from '../authz/arn-pattern.ts'
import { type AccessKeyId, type AccountId, parseAccessKeyId, parseAccountId } from '../ids.ts'
import type { PrincipalRecord } from '../store/records.ts'
import { principalArn } from '../tenants/principal.ts'
import type { Call } from './operation.ts'

const NO_ACCESS_KEY = parseAccessKeyId('ASIA0000000000000000') as AccessKeyId
/** The name of a session that nobody has begun. */
const ANY_SESSION = 'any-session'
const PRINCIPALS_PER_PAGE = 100

/**
 * The caller that an ARN stands for: a user, a role or one of its sessions, of an account.
 * @returns `null` when the account has no such principal
 * @throws StoreUnavailable
 */
export async function subjectOf(
  arn: string,
  account: AccountId,
  call: Call,
): Promise<Caller | null> {
  const [, , service, , owner = '', resource = ''] = splitArn(arn) ?? []
  if (parseAccountId(owner) !== account) return null
  const [kind, ...rest] = resource.split('/')
  const { tenants } = call.services.store
  if (service === 'sts' && kind === 'assumed-role') {
    const [roleName = '', sessionName] = rest
    const role = await tenants.roleByName(account, roleName)
    return role && (await callerFor(role, sessionName, call))
  }
  const name = rest.at(-1) ?? ''
  const principal =
    kind === 'user'
      ? await tenants.principalByName(account, name)
      : await tenants.roleByName(account, name)
  if (principal === null || principalArn(principal) !== arn) return null
  return await callerFor(principal, undefined, call)
}

/** Every user and role of an account, as callers. */
export async function* subjectsOf(account: AccountId, call: Call): AsyncGenerator<Caller> {
  for (const kind of ['User', 'Role'] as const) {
    for (let after: string | null = null; ; ) {
      const page = await call.services.store.tenants.principals(
        account,
        kind,
        PRINCIPALS_PER_PAGE,
        after,
      )
      for (const principal of page.items) {
        const caller = await callerFor(principal, undefined, call)
        if (caller !== null) yield caller
      }
      if (page.next === null) break
      after = page.next
    }
  }
}

async function callerFor(
  { account, principalId }: PrincipalRecord,
  sessionName: string | undefined,
  { services }: Call,
): Promise<Caller | null> {
  const found = await services.accessKeys.principal(account, principalId)
  if (found === null) return null
  const { principal } = found
  if (principal.kind === 'User') {
    return callerOf({ ...found, principal, record: { accessKeyId: NO_ACCESS_KEY } })
  }
  const now = services.clock.now()
  return sessionCallerOf(found, {
    accessKeyId: NO_ACCESS_KEY,
    content: {
      account,
      principalId,
      sessionName: sessionName ?? ANY_SESSION,
      tags: [],
      transitiveTagKeys: [],
      sourceIdentity: null,
      federated: null,
      issuedAt: now,
      expiresAt: now,
    },
    policies: null,
  })
}
