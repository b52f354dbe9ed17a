/**
 * The operator tenant: its principals make tenants and suspend them, and have no way to the keys of any.
 * It has an account id that no team gets, and a key, from which the deployment signs what it states.
 */
import { type AccountId, parseAccountId } from '../ids.ts'
import type { PolicyDocument } from '../store/records.ts'
import { firstAccessKeyIdOf, seededPrincipalId } from './access-key-id.ts'
import type { Bootstrapped } from './bootstrap.ts'
import { principalArn } from './principal.ts'
import { requireTenant, requireUser, type SetupServices, storedSecret } from './setup.ts'

export const OPERATOR_ACCOUNT = parseAccountId('000000000001') as AccountId
const USER_NAME = 'operator'

const OPERATOR_ACCESS: PolicyDocument = {
  name: 'OperatorAccess',
  document: JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: ['keyhold:*', 'iam:*', 'sts:*', 'cloudtrail:*'], Resource: '*' },
    ],
  }),
}

/**
 * Sees to it that there is an operator tenant, and a first operator with an access key.
 * @param secretAccessKey - replaces the secret of that access key
 * @throws StoreUnavailable, HsmUnavailable
 */
export async function requireOperator(
  services: SetupServices,
  secretAccessKey?: string,
): Promise<Bootstrapped> {
  const account = OPERATOR_ACCOUNT
  await requireTenant(services, account, 'operator', 'operator')
  const principalId = seededPrincipalId(account, USER_NAME)
  const wanted = { account, name: USER_NAME, policies: [OPERATOR_ACCESS], principalId }
  const operator = await requireUser(services, wanted)
  const accessKeyId = firstAccessKeyIdOf(operator.principalId)
  const known = await services.tenants.accessKey(accessKeyId)
  const user = { account, userArn: principalArn(operator), principalId: operator.principalId }
  if (known !== null) {
    const stored = await storedSecret(services.accessKeys, known)
    if (secretAccessKey === undefined || secretAccessKey === stored) {
      return { ...user, accessKeyId, secretAccessKey: stored, created: false }
    }
  }
  const given = secretAccessKey === undefined ? {} : { secret: secretAccessKey }
  const issued = await services.accessKeys.issue(account, operator.principalId, {
    accessKeyId,
    ...given,
  })
  return { ...user, ...issued, created: true }
}
