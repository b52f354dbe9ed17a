/**
 * Who a statement of a resource's policy speaks of (IAM User Guide, "AWS JSON policy elements:
 * Principal"). Groups are never principals, and there are no wildcards within a principal.
 */
import type { Caller } from '../authn/caller.ts'
import { PARTITION } from '../ids.ts'
import { splitArn } from './arn-pattern.ts'
import type { PolicyJson } from './policy-json.ts'
import type { PrincipalType } from './policy-kinds.ts'
import { malformed, PolicyProblem } from './policy-problem.ts'

export interface Principals {
  /** `*` */
  readonly everyone: boolean
  /** Accounts as a whole: what they may do, their identity policies say. */
  readonly accounts: ReadonlySet<string>
  /** ARNs and stable ids of users, roles and sessions. */
  readonly names: ReadonlySet<string>
  /** `logs.us-east-1.amazonaws.com`. No service calls as itself. */
  readonly services: ReadonlySet<string>
  /** ARNs of OIDC providers, names of public ones. */
  readonly providers: ReadonlySet<string>
}

/**
 * How a statement speaks of a caller. `caller`: as such, by user, session or everyone. `role`: as a
 * session of a role that it names. `account`: only as one of an account.
 */
export type Addressed = 'caller' | 'role' | 'account'

/** A `Principal` or `NotPrincipal`. */
export interface PrincipalElement {
  readonly negated: boolean
  readonly principals: Principals
}

/** All that an element names, as text. */
export const principalTexts = ({ principals }: PrincipalElement): readonly string[] => [
  ...(principals.everyone ? ['*'] : []),
  ...principalArns(principals),
  ...principals.services,
  ...principals.providers,
]

const ACCOUNT = /^[0-9]{12}$/
/** The stable id of a user or role, with the session's name where there is one. */
const STABLE_ID = /^A(?:IDA|ROA)[A-Z0-9]{12,124}(?::[\w+=,.@-]{2,64})?$/
const IAM_PRINCIPAL = /^(?:user|role)\/(?:[!-~]+\/)?[\w+=,.@-]{1,64}$/
const STS_PRINCIPAL = /^(?:assumed-role\/[\w+=,.@-]{1,64}|federated-user)\/[\w+=,.@-]{2,64}$/
const SERVICE = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com$/
const OIDC_PROVIDER = /^arn:aws:iam::[0-9]{12}:oidc-provider\/[!-~]{1,255}$/
/** Providers that no account has to set up for itself, and that go by their names. */
const PUBLIC_PROVIDERS: ReadonlySet<string> = new Set([
  'accounts.google.com',
  'cognito-identity.amazonaws.com',
  'graph.facebook.com',
  'www.amazon.com',
])

/**
 * @param json - what stands at `Principal` or `NotPrincipal`
 * @param types - of principals that this kind of policy can name
 * @throws PolicyProblem `no-principal`, `invalid-principal`, `invalid-principal-arn` or `malformed`
 */
export function parsePrincipals(json: PolicyJson, types: ReadonlySet<PrincipalType>): Principals {
  const parsed = noPrincipals()
  if (json === '*') return { ...parsed, everyone: true }
  if (typeof json === 'string') throw invalid()
  if (!(json instanceof Map)) throw malformed('Principal must be "*" or an object.')
  let count = 0
  for (const [type, values] of json as ReadonlyMap<string, PolicyJson>) {
    if (!types.has(type as PrincipalType)) throw invalid()
    for (const value of textsOf(values)) {
      count += 1
      add[type as PrincipalType](value, parsed)
    }
  }
  if (count === 0) throw noPrincipal()
  return parsed
}

/** The problem of a statement that names nobody. */
export const noPrincipal = (): PolicyProblem =>
  new PolicyProblem('no-principal', 'Policy contains a statement with no principal.')

/** The problem of a principal that does not exist, or that cannot be one. */
export const invalid = (): PolicyProblem =>
  new PolicyProblem(
    'invalid-principal',
    'Policy contains a statement with one or more invalid principals.',
  )

/** The principals of AWS as ARNs and stable ids, accounts as `arn:aws:iam::<account>:root`. */
export const principalArns = ({ accounts, names }: Principals): readonly string[] => [
  ...Array.from(accounts, (account) => `arn:${PARTITION}:iam::${account}:root`),
  ...names,
]

/** @returns how a statement speaks of the caller; `null`: not at all */
export function addresses(
  { negated, principals }: PrincipalElement,
  caller: Caller,
): Addressed | null {
  if (negated) return spares(principals, caller) ? null : 'caller'
  if (principals.everyone || namesCaller(principals, caller)) return 'caller'
  if (namesPrincipal(principals, caller)) return 'role'
  return principals.accounts.has(caller.account) ? 'account' : null
}

/**
 * @param names - ARN and name of the provider that vouches for somebody who is no principal
 * @returns whether a statement speaks of who comes from there; only a Deny does so by naming everyone
 */
export function addressesProvider(
  { negated, principals }: PrincipalElement,
  names: readonly string[],
  effect: 'Allow' | 'Deny',
): boolean {
  const named = names.some((name) => principals.providers.has(name))
  if (negated) return !named && !principals.everyone
  return named || (principals.everyone && effect === 'Deny')
}

/** By what it itself is: a user, or a session of a role. */
const namesCaller = ({ names }: Principals, { arn, userId }: Caller): boolean =>
  names.has(arn) || names.has(userId)

/** By the user or role whose policies hold. */
const namesPrincipal = ({ names }: Principals, { principalArn, principalId }: Caller): boolean =>
  names.has(principalArn) || names.has(principalId)

/**
 * Whether a `NotPrincipal` leaves the caller out of a Deny. To be spared, the caller, its role and its
 * account must all be listed; who has a permissions boundary is never spared (IAM User Guide, "AWS
 * JSON policy elements: NotPrincipal").
 */
function spares(principals: Principals, caller: Caller): boolean {
  if (caller.boundary !== null) return false
  if (principals.everyone) return true
  return (
    namesCaller(principals, caller) &&
    namesPrincipal(principals, caller) &&
    principals.accounts.has(caller.account)
  )
}

interface Parsed extends Principals {
  everyone: boolean
  readonly accounts: Set<string>
  readonly names: Set<string>
  readonly services: Set<string>
  readonly providers: Set<string>
}

const noPrincipals = (): Parsed => ({
  everyone: false,
  accounts: new Set(),
  names: new Set(),
  services: new Set(),
  providers: new Set(),
})

const add: Readonly<Record<PrincipalType, (text: string, into: Parsed) => void>> = {
  AWS(text, into) {
    if (text === '*') into.everyone = true
    else if (ACCOUNT.test(text)) into.accounts.add(text)
    else if (STABLE_ID.test(text)) into.names.add(text)
    else addArn(text, into)
  },
  Service(text, into) {
    if (!SERVICE.test(text)) throw invalid()
    into.services.add(text)
  },
  Federated(text, into) {
    const isArn = OIDC_PROVIDER.test(text) && !/[*?]/.test(text)
    if (!isArn && !PUBLIC_PROVIDERS.has(text)) throw invalid()
    into.providers.add(text)
  },
}

function addArn(text: string, into: Parsed): void {
  if (!text.startsWith('arn:')) throw invalid()
  const [, partition, service, region, account = '', resource = ''] = splitArn(text) ?? []
  const ofIdentity = service === 'iam' || service === 'sts'
  if (!partition || !service || !resource || (ofIdentity && !ACCOUNT.test(account))) {
    throw new PolicyProblem(
      'invalid-principal-arn',
      'An ARN in the specified key policy is invalid.',
    )
  }
  if (partition !== PARTITION || region !== '') throw invalid()
  if (service === 'iam' && resource === 'root') into.accounts.add(account)
  else if (service === 'iam' && IAM_PRINCIPAL.test(resource)) addName(text, into)
  else if (service === 'sts' && STS_PRINCIPAL.test(resource)) addName(text, into)
  else throw invalid()
}

function addName(arn: string, into: Parsed): void {
  if (/[*?]/.test(arn)) throw invalid()
  into.names.add(arn)
}

function textsOf(json: PolicyJson): readonly string[] {
  const list = Array.isArray(json) ? (json as readonly PolicyJson[]) : [json]
  return list.map((value) => {
    if (typeof value !== 'string') throw malformed('A principal must be text.')
    return value
  })
}
