/**
 * Who grants are for, and who may retire them. A grant keeps a principal by what never changes, so
 * that a user who is made anew under an old name does not inherit grants; it is shown by its ARN as
 * long as there is one (AWS KMS API reference, CreateGrant, "GranteePrincipal"; texts of the live
 * service).
 */
import { splitArn } from '../authz/arn-pattern.ts'
import { JsonError } from '../errors.ts'
import { type AccountId, PARTITION, parseAccountId, principalIdOf } from '../ids.ts'
import type { TenantRepository } from '../store/repositories.ts'
import { namedPrincipal } from '../tenants/named-principal.ts'
import { principalArn } from '../tenants/principal.ts'

export interface GrantPrincipal {
  /** As `GrantRecord.grantee` keeps it. */
  readonly stored: string
  /** As requests and policies name it. */
  readonly arn: string
}

const STABLE_ID = /^A(?:IDA|ROA)[A-Z0-9]{12,124}(?::[\w+=,.@-]{2,64})?$/
/** A service that is named as a principal like any other, as was done before it had members of its own. */
const SERVICE = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com$/
const IAM_RESOURCE = /^(?:user|role)\/(?:[!-~]+\/)?[\w+=,.@-]{1,64}$/
const STS_RESOURCE = /^(?:assumed-role\/[\w+=,.@-]{1,64}|federated-user)\/[\w+=,.@-]{2,64}$/
const SERVICE_PREFIX = 'service/'

/** Whether a kept principal is the account, or one of its users. */
export const isOfAccount = (stored: string, account: AccountId): boolean =>
  stored === account || stored.startsWith(`${account}/`)

/** @param name - `s3.amazonaws.com` */
export const servicePrincipalOf = (name: string): GrantPrincipal => ({
  stored: SERVICE_PREFIX + name,
  arn: name,
})

/**
 * Finds out who is meant.
 * @param text - account id, ARN, stable id of a user or role of `account`, or the name of a service
 * @param account - of whoever names it
 * @param unknownId - what to say of a stable id that nobody has
 * @returns the principal, or what is wrong with the text, as a value: an InvalidArnException
 */
export async function findPrincipal(
  text: string,
  account: AccountId,
  tenants: TenantRepository,
  unknownId: JsonError,
): Promise<GrantPrincipal | JsonError> {
  if (SERVICE.test(text)) return { stored: text, arn: text }
  if (STABLE_ID.test(text)) return (await userById(text, account, tenants)) ?? unknownId
  const bare = parseAccountId(text)
  if (bare !== null) return (await wholeAccount(bare, tenants)) ?? unresolvable(text)
  const [, partition, service, region, accountText = '', resource = ''] = splitArn(text) ?? []
  const named = parseAccountId(accountText)
  const form = service === 'iam' ? /^root$/.test(resource) || IAM_RESOURCE.test(resource) : false
  const ofSts = service === 'sts' && STS_RESOURCE.test(resource)
  if (partition !== PARTITION || region !== '' || named === null || !(form || ofSts)) {
    return invalidArn(`ARN is not valid: ${text}`)
  }
  const found =
    resource === 'root'
      ? await wholeAccount(named, tenants)
      : await principalByArn(text, named, tenants)
  return found ?? unresolvable(text)
}

const invalidArn = (text: string): JsonError => new JsonError('InvalidArnException', text)

const unresolvable = (text: string): JsonError =>
  invalidArn(`ARN does not refer to a valid principal: ${text}`)

const rootArn = (account: AccountId): string => `arn:${PARTITION}:iam::${account}:root`

async function wholeAccount(
  account: AccountId,
  tenants: TenantRepository,
): Promise<GrantPrincipal | null> {
  const tenant = await tenants.get(account)
  return tenant && { stored: account, arn: rootArn(account) }
}

async function userById(
  id: string,
  account: AccountId,
  tenants: TenantRepository,
): Promise<GrantPrincipal | null> {
  const [principalId = ''] = id.split(':')
  const found = await tenants.principal(account, principalIdOf(principalId))
  return found && { stored: `${account}/${id}`, arn: principalArn(found) }
}

/** A session by the stable id of its role and its own name. */
async function principalByArn(
  arn: string,
  account: AccountId,
  tenants: TenantRepository,
): Promise<GrantPrincipal | null> {
  const found = await namedPrincipal(arn, account, tenants)
  if (found === null) return null
  const { principal, session } = found
  const id = session === null ? principal.principalId : `${principal.principalId}:${session}`
  return { stored: `${account}/${id}`, arn }
}

/** A principal as a grant shows it, under the one member of the two that it belongs to. */
export interface ShownPrincipal {
  readonly principal?: string
  readonly service?: string
}

/** @returns the principal's ARN of now, or its stable id when it is gone */
export async function showPrincipal(
  stored: string,
  tenants: TenantRepository,
): Promise<ShownPrincipal> {
  if (stored.startsWith(SERVICE_PREFIX)) return { service: stored.slice(SERVICE_PREFIX.length) }
  const [accountText = '', id] = stored.split('/')
  const account = parseAccountId(accountText)
  if (account === null) return { principal: stored }
  if (id === undefined) return { principal: rootArn(account) }
  const [principalId = '', session] = id.split(':')
  const found = await tenants.principal(account, principalIdOf(principalId))
  if (found === null) return { principal: id }
  return {
    principal:
      session === undefined
        ? principalArn(found)
        : `arn:${PARTITION}:sts::${account}:assumed-role/${found.name}/${session}`,
  }
}
