/**
 * Who a statement of a key policy speaks of (IAM User Guide, "AWS JSON policy elements: Principal").
 * Groups are never principals, and there are no wildcards within a principal.
 */
import type { Caller } from '../authn/caller.ts'
import { PARTITION } from '../ids.ts'
import { splitArn } from './arn-pattern.ts'
import type { PolicyJson } from './policy-json.ts'
import { malformed, PolicyProblem } from './policy-problem.ts'

export interface Principals {
  /** `*` */
  readonly everyone: boolean
  /** Accounts as a whole: what they may do, their identity policies say. */
  readonly accounts: ReadonlySet<string>
  /** ARNs and stable ids of users, roles and sessions. */
  readonly names: ReadonlySet<string>
}

const ACCOUNT = /^[0-9]{12}$/
/** The stable id of a user or role, with the session's name where there is one. */
const STABLE_ID = /^A(?:IDA|ROA)[A-Z0-9]{12,124}(?::[\w+=,.@-]{2,64})?$/
const IAM_PRINCIPAL = /^(?:user|role)\/(?:[!-~]+\/)?[\w+=,.@-]{1,64}$/
const STS_PRINCIPAL = /^(?:assumed-role\/[\w+=,.@-]{1,64}|federated-user)\/[\w+=,.@-]{2,64}$/
const SERVICE = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com$/

/**
 * @param json - what stands at `Principal` or `NotPrincipal`
 * @throws PolicyProblem `no-principal`, `invalid-principal`, `invalid-principal-arn` or `malformed`
 */
export function parsePrincipals(json: PolicyJson): Principals {
  if (json === '*') return { everyone: true, accounts: new Set(), names: new Set() }
  if (typeof json === 'string') throw invalid()
  if (!(json instanceof Map)) throw malformed('Principal must be "*" or an object.')
  const parsed = { everyone: false, accounts: new Set<string>(), names: new Set<string>() }
  let count = 0
  for (const [type, values] of json as ReadonlyMap<string, PolicyJson>) {
    for (const value of textsOf(values)) {
      count += 1
      if (type === 'AWS') addPrincipal(value, parsed)
      else if (type !== 'Service' || !SERVICE.test(value)) throw invalid()
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

/** The principals as ARNs and stable ids, accounts as `arn:aws:iam::<account>:root`. */
export const principalArns = ({ accounts, names }: Principals): readonly string[] => [
  ...Array.from(accounts, (account) => `arn:${PARTITION}:iam::${account}:root`),
  ...names,
]

/** Whether the caller is named as such (or everyone is); being of a named account is not enough. */
export const nameCaller = ({ everyone, names }: Principals, caller: Caller): boolean =>
  everyone || names.has(caller.arn) || names.has(caller.principalId)

/**
 * Whether a `NotPrincipal` leaves the caller out of a Deny. To be spared, both the caller and its
 * account must be listed (IAM User Guide, "AWS JSON policy elements: NotPrincipal").
 */
export const spareCaller = (principals: Principals, caller: Caller): boolean =>
  principals.everyone || (nameCaller(principals, caller) && principals.accounts.has(caller.account))

function addPrincipal(
  text: string,
  into: { everyone: boolean; accounts: Set<string>; names: Set<string> },
): void {
  if (text === '*') into.everyone = true
  else if (ACCOUNT.test(text)) into.accounts.add(text)
  else if (STABLE_ID.test(text)) into.names.add(text)
  else addArn(text, into)
}

function addArn(text: string, into: { accounts: Set<string>; names: Set<string> }): void {
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

function addName(arn: string, into: { names: Set<string> }): void {
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
