/** Accepting a key policy: its form, its principals, and that it does not lock its author out. */
import type { ContextSource } from '../authz/condition-context.ts'
import { renderPolicy } from '../authz/default-key-policy.ts'
import { staysUpdatable } from '../authz/lockout.ts'
import { parsePolicy } from '../authz/policy.ts'
import { PolicyProblem } from '../authz/policy-problem.ts'
import { JsonError } from '../errors.ts'
import { type AccountId, keyArn, parseAccountId, principalIdOf } from '../ids.ts'
import type { KeyRecord } from '../store/records.ts'
import type { TenantRepository } from '../store/repositories.ts'
import { namedPrincipal } from '../tenants/named-principal.ts'
import { contextOf, type KeyFacts } from './authorize.ts'
import type { Call } from './operation.ts'
import { keptPolicy } from './policy-principals.ts'

/** A limit of our own: what a policy names has to be looked up. */
const MAX_PRINCIPALS = 300
/** How many of them are looked up at once. */
const LOOKUPS_AT_ONCE = 16

/**
 * @param key - that the policy is for; it need not exist yet
 * @param bypass - leaves the lockout check out
 * @returns the text to store, in the form in which KMS gives policies back
 * @throws JsonError MalformedPolicyDocumentException, InvalidArnException or LimitExceededException
 */
export async function acceptKeyPolicy(
  text: string,
  key: PolicyOwner,
  bypass: boolean,
  call: Call,
): Promise<string> {
  await requireKeyPolicy(text, call)
  if (!bypass && !mayUpdateAgain(text, key, call)) {
    throw new JsonError(
      'MalformedPolicyDocumentException',
      'The new key policy will not allow you to update the key policy in the future.',
    )
  }
  return await keptPolicy(renderPolicy(text), 'key', key.account, call.services.store.tenants)
}

/**
 * @throws JsonError MalformedPolicyDocumentException, InvalidArnException or LimitExceededException when
 *   the text is no key policy, or names somebody who does not exist
 */
export async function requireKeyPolicy(text: string, { caller, services }: Call): Promise<void> {
  const { tenants } = services.store
  const missing = await missingPrincipal(parseOrRefuse(text), caller.account, tenants)
  if (missing !== null) throw invalidPrincipal()
}

/**
 * Whether the caller could replace the key policy once this one is in place.
 * @param text - of a policy whose form is good
 */
export const mayUpdateAgain = (text: string, key: PolicyOwner, call: Call): boolean =>
  staysUpdatable(call.caller, text, arnOf(key), contextOfNextUpdate(key, call))

/** What the conditions of a policy can ask about the key that it is for. */
export type PolicyOwner = NonNullable<KeyFacts['key']> & Pick<KeyRecord, 'keyId' | 'region'>

const arnOf = ({ region, account, keyId }: PolicyOwner): string => keyArn(region, account, keyId)

/** The request that the lockout check asks about: another PutKeyPolicy like this one, some day. */
const contextOfNextUpdate = (key: PolicyOwner, call: Call): ContextSource =>
  contextOf(
    call,
    { others: { 'kms:bypasspolicylockoutsafetycheck': 'false' } },
    { key, requestAlias: null },
  )

/**
 * @param principals - whom a key policy names: ARNs and stable ids, accounts as the ARN of their root
 * @param account - of the key
 * @returns one that does not exist; `null` when all do
 * @throws JsonError LimitExceededException when they are too many to be looked up
 */
export async function missingPrincipal(
  principals: readonly string[],
  account: AccountId,
  tenants: TenantRepository,
): Promise<string | null> {
  if (principals.length > MAX_PRINCIPALS) {
    throw new JsonError(
      'LimitExceededException',
      `A key policy must not name more than ${MAX_PRINCIPALS} principals.`,
    )
  }
  for (let start = 0; start < principals.length; start += LOOKUPS_AT_ONCE) {
    const group = principals.slice(start, start + LOOKUPS_AT_ONCE)
    const found = await Promise.all(
      group.map((principal) => principalExists(principal, account, tenants)),
    )
    const missing = group[found.indexOf(false)]
    if (missing !== undefined) return missing
  }
  return null
}

function parseOrRefuse(text: string): readonly string[] {
  try {
    return parsePolicy(text, 'key').principals
  } catch (error) {
    throw error instanceof PolicyProblem ? refusal(error) : error
  }
}

const invalidPrincipal = (): JsonError =>
  new JsonError(
    'MalformedPolicyDocumentException',
    'Policy contains a statement with one or more invalid principals.',
  )

function refusal({ kind, text }: PolicyProblem): JsonError {
  switch (kind) {
    case 'not-json':
      return new JsonError('MalformedPolicyDocumentException')
    case 'too-large':
      return new JsonError('LimitExceededException', text)
    case 'no-principal':
      return new JsonError(
        'MalformedPolicyDocumentException',
        'Policy contains a statement with no principal.',
      )
    case 'invalid-principal-arn':
      return new JsonError('InvalidArnException', 'An ARN in the specified key policy is invalid.')
    case 'invalid-principal':
      return invalidPrincipal()
    case 'malformed':
      return new JsonError('MalformedPolicyDocumentException', text)
    default:
      return kind satisfies never
  }
}

/** Accounts are tenants; users are known by ARN, those of the caller's own account by stable id too. */
async function principalExists(
  principal: string,
  ownAccount: AccountId,
  tenants: TenantRepository,
): Promise<boolean> {
  const [id = ''] = principal.split(':')
  if (/^A(?:IDA|ROA)/.test(id)) {
    return (await tenants.principal(ownAccount, principalIdOf(id))) !== null
  }
  const [, , , , accountText = '', resource = ''] = principal.split(':')
  const account = parseAccountId(accountText)
  if (account === null) return false
  if (resource === 'root') return (await tenants.get(account)) !== null
  return (await namedPrincipal(principal, account, tenants)) !== null
}
