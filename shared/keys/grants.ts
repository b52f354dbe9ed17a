/**
 * What grants allow (AWS KMS Developer Guide, "Grants in AWS KMS"; API reference, CreateGrant, with
 * the texts of the live service). All here is decided from a grant alone.
 */

import type { Caller } from '../authn/caller.ts'
import type { GrantEffect } from '../authz/decide.ts'
import { JsonError } from '../errors.ts'
import type { AccountId } from '../ids.ts'
import {
  GRANT_OPERATIONS,
  type GrantConstraints,
  type GrantOperation,
  type GrantRecord,
  type KeyRecord,
  type KeyUsage,
} from '../store/records.ts'
import { keySpec } from './key-specs.ts'
import { requireContextSize } from './symmetric.ts'

type Context = Readonly<Record<string, string>>

/** KMS quotas, "Grants per KMS key". */
export const MAX_GRANTS_PER_KEY = 50_000
/** AWS KMS API reference, CreateGrant, "Constraints". */
const MAX_CONSTRAINT_PAIRS = 8
const MAX_CONSTRAINT_VALUE_LENGTH = 384

const ON_EVERY_KEY: readonly GrantOperation[] = ['CreateGrant', 'RetireGrant', 'DescribeKey']
const ON_SYMMETRIC_KEYS: readonly GrantOperation[] = [
  'Decrypt',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'ReEncryptFrom',
  'ReEncryptTo',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
]
const ON_ASYMMETRIC_KEYS: Readonly<Record<KeyUsage, readonly GrantOperation[]>> = {
  ENCRYPT_DECRYPT: ['Decrypt', 'Encrypt', 'ReEncryptFrom', 'ReEncryptTo', 'GetPublicKey'],
  SIGN_VERIFY: ['Sign', 'Verify', 'GetPublicKey'],
  GENERATE_VERIFY_MAC: ['GenerateMac', 'VerifyMac'],
  KEY_AGREEMENT: ['DeriveSharedSecret', 'GetPublicKey'],
  ENCAPSULATE_DECAPSULATE: ['Encapsulate', 'Decapsulate', 'GetPublicKey'],
}

/** What can be granted on a key, in the order in which the service lists it. */
export function grantableOperations({ keySpec: spec, keyUsage }: KeyKind): GrantOperation[] {
  const isSymmetric = keySpec(spec).family === 'symmetric'
  const own = isSymmetric ? ON_SYMMETRIC_KEYS : ON_ASYMMETRIC_KEYS[keyUsage]
  return GRANT_OPERATIONS.filter((one) => own.includes(one) || ON_EVERY_KEY.includes(one))
}

type KeyKind = Pick<KeyRecord, 'keySpec' | 'keyUsage'>

/** What a grant is to allow. */
export interface Allowance {
  readonly operations: readonly GrantOperation[]
  readonly constraints: GrantConstraints | null
}

/**
 * Whether such a grant can be on such a key.
 * @throws JsonError ValidationException
 */
export function requireGrantable({ operations, constraints }: Allowance, key: KeyKind): void {
  if (operations.length === 0) throw invalid('A grant must allow at least one operation.')
  if (operations.length === 1 && operations[0] === 'CreateGrant') {
    throw invalid('Grants must not contain only the CreateGrant operation.')
  }
  const valid = grantableOperations(key)
  const others = operations.filter((operation) => !valid.includes(operation))
  const { family } = keySpec(key.keySpec)
  if (others.length > 0) {
    const kind = family === 'asymmetric' ? 'an asymmetric' : 'a symmetric'
    throw invalid(
      `Operations [${others.join(', ')}] are not supported when creating a grant for ${kind} KMS key with key usage ${key.keyUsage}. Valid operations are [${valid.join(', ')}]`,
    )
  }
  if (constraints === null) return
  if (family !== 'symmetric' && contextOf(constraints) !== null) {
    throw invalid(
      'EncryptionContext is supported only when creating a grant for a symmetric encryption KMS key.',
    )
  }
  requireFewPairs(constraints)
  requireContextSize(contextOf(constraints) ?? {})
}

function requireFewPairs(constraints: GrantConstraints): void {
  const { encryptionContextEquals, encryptionContextSubset } = constraints
  if (encryptionContextEquals !== undefined && encryptionContextSubset !== undefined) {
    throw invalid('A grant must have at most one encryption context constraint.')
  }
  const values = Object.values(contextOf(constraints) ?? {})
  if (values.length > MAX_CONSTRAINT_PAIRS) {
    throw invalid(`A grant constraint must have at most ${MAX_CONSTRAINT_PAIRS} pairs.`)
  }
  if (values.some((value) => value.length > MAX_CONSTRAINT_VALUE_LENGTH)) {
    throw invalid(
      `A value in a grant constraint must have at most ${MAX_CONSTRAINT_VALUE_LENGTH} characters.`,
    )
  }
}

const invalid = (text: string): JsonError => new JsonError('ValidationException', text)

/** The pairs of an encryption context constraint; `null` when there is none. */
export const contextOf = (constraints: GrantConstraints | null): Context | null =>
  constraints?.encryptionContextEquals ?? constraints?.encryptionContextSubset ?? null

/** What policies call the kind of an encryption context constraint. */
export function constraintType(constraints: GrantConstraints | null): string | undefined {
  if (constraints?.encryptionContextEquals !== undefined) return 'EncryptionContextEquals'
  if (constraints?.encryptionContextSubset !== undefined) return 'EncryptionContextSubset'
  return undefined
}

const UNCONSTRAINED: ReadonlySet<string> = new Set(['DescribeKey', 'RetireGrant', 'CreateGrant'])

/**
 * Whether a grant allows its grantee this. A constraint on the source never holds: no service calls
 * with one. What a grant must be to allow further grants, `isWithin` tells.
 * @param action - `kms:Decrypt`
 * @param context - the encryption context of the request; names and values count as they are
 */
export function coversUse(
  { operations, constraints }: Allowance,
  action: string,
  context: Context,
): boolean {
  const operation = action.slice('kms:'.length)
  if (!operations.some((granted) => granted === operation)) return false
  if (constraints === null || operation === 'RetireGrant') return true
  if (constraints.sourceArn !== undefined) return false
  return UNCONSTRAINED.has(operation) || holds(constraints, context)
}

export const isGrantable = (action: string): boolean =>
  GRANT_OPERATIONS.some((operation) => action === `kms:${operation}`)

function holds(
  { encryptionContextEquals, encryptionContextSubset }: GrantConstraints,
  context: Context,
): boolean {
  if (encryptionContextEquals !== undefined && !isSame(encryptionContextEquals, context)) {
    return false
  }
  return encryptionContextSubset === undefined || isPartOf(encryptionContextSubset, context)
}

const isPartOf = (part: Context, whole: Context): boolean =>
  Object.entries(part).every(([name, value]) => Object.hasOwn(whole, name) && whole[name] === value)

const isSame = (one: Context, other: Context): boolean =>
  isPartOf(one, other) && isPartOf(other, one)

/**
 * Whether whoever has the one grant may give the other: no operation that it has not itself, under
 * constraints as strict or stricter.
 */
export const isWithin = (child: Allowance, parent: Allowance): boolean =>
  child.operations.every((operation) => parent.operations.includes(operation)) &&
  isAsStrict(child.constraints ?? {}, parent.constraints ?? {})

function isAsStrict(child: GrantConstraints, parent: GrantConstraints): boolean {
  if (parent.sourceArn !== undefined && child.sourceArn !== parent.sourceArn) return false
  const { encryptionContextEquals: equals, encryptionContextSubset: subset } = parent
  if (equals !== undefined) {
    const same = child.encryptionContextEquals
    return same !== undefined && isSame(same, equals)
  }
  return subset === undefined || isPartOf(subset, contextOf(child) ?? {})
}

/** What a caller is called in grants: by itself, and as one of its account. */
export const granteesOf = ({ account, principalId, userId }: Caller): readonly string[] => [
  `${account}/${principalId}`,
  account,
  ...(userId === principalId ? [] : [`${account}/${userId}`]),
]

/** As a user or role, or as just this session. */
const isNamed = (principal: string | null, { account, principalId, userId }: Caller): boolean =>
  principal === `${account}/${principalId}` || principal === `${account}/${userId}`

/**
 * How much a grant that covers a request does for its caller. It is enough by itself for whom it
 * names, on a key of the same account or when that account itself made the grant; otherwise the
 * caller's own account has a say too.
 * @returns `null` when the grant is for somebody else
 */
export function effectFor(grant: GrantRecord, caller: Caller): GrantEffect | null {
  if (grant.breakGlassUntil !== null) {
    return caller.operator && isNamed(grant.grantee, caller) ? 'break-glass' : null
  }
  if (grant.grantee === caller.account) return 'needs-identity'
  if (!isNamed(grant.grantee, caller)) return null
  const suffices = grant.account === caller.account || grant.issuingAccount === caller.account
  return suffices ? 'allows' : 'needs-identity'
}

/**
 * What a caller's part in a grant does for retiring it: to retire is for whom the grant names for
 * that, for a grantee who was allowed to, and for the account that made it.
 * @returns `null` when it has no part in it
 */
export function retirementEffect(grant: GrantRecord, caller: Caller): GrantEffect | null {
  const mayRetire = grant.operations.includes('RetireGrant')
  const isNamedFor =
    isNamed(grant.retiring, caller) || (mayRetire && isNamed(grant.grantee, caller))
  if (isNamedFor && grant.account === caller.account) return 'allows'
  const accounts: (AccountId | string | null)[] = [grant.issuingAccount, grant.retiring]
  if (mayRetire) accounts.push(grant.grantee)
  return isNamedFor || accounts.includes(caller.account) ? 'needs-identity' : null
}
