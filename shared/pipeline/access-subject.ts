/** Principals about whose access somebody asks: as callers, without a call of theirs. */
import { type Caller, callerOf } from '../authn/caller.ts'
import { splitArn } from '../authz/arn-pattern.ts'
import { type AccessKeyId, type AccountId, parseAccessKeyId, parseAccountId } from '../ids.ts'
import { principalArn } from '../tenants/principal.ts'
import type { Call } from './operation.ts'

const NO_ACCESS_KEY = parseAccessKeyId('ASIA0000000000000000') as AccessKeyId

/**
 * The caller that an ARN stands for: a user, a role or one of its sessions, of an account.
 * @returns `null` when the account has no such principal
 * @throws StoreUnavailable
 */
export async function subjectOf(
  arn: string,
  account: AccountId,
  { services }: Call,
): Promise<Caller | null> {
  const [, , service, , owner = '', resource = ''] = splitArn(arn) ?? []
  if (parseAccountId(owner) !== account) return null
  const [kind, ...rest] = resource.split('/')
  const name = rest.at(-1) ?? ''
  const { tenants } = services.store
  if (service === 'iam' && kind === 'user') {
    const user = await tenants.principalByName(account, name)
    if (user?.kind !== 'User' || principalArn(user) !== arn) return null
    return callerOf({
      record: { accessKeyId: NO_ACCESS_KEY },
      principal: user,
      policies: user.policies,
      boundary: null,
      operator: false,
    })
  }
  return null
}
