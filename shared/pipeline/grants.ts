/** What grants, and tokens of them, do for a request (AWS KMS Developer Guide, "Grants in AWS KMS"). */
import { type GrantEffect, strongestGrant } from '../authz/decide.ts'
import { JsonError } from '../errors.ts'
import { coversUse, effectFor, isGrantable } from '../keys/grants.ts'
import type { FoundKey } from '../keys/keys.ts'
import type { GrantRecord } from '../store/records.ts'
import type { GrantAddress } from '../tenants/grant-tokens.ts'
import type { Call, KeyUse, RequestConditions } from './operation.ts'

/** It takes tokens, but the service model has no error for a bad one: it passes it over. */
const PASSES_OVER_BAD_TOKENS = 'DescribeKey'

/**
 * The grants that a request brings tokens of. A token of a grant that has ended is no error; it helps
 * nobody.
 * @param operation - its name
 * @throws JsonError InvalidGrantTokenException for what is not a token of this Region
 */
export async function openGrantTokens(
  operation: string,
  input: unknown,
  call: Call,
): Promise<readonly GrantAddress[]> {
  const { GrantTokens = [] } = input as { readonly GrantTokens?: readonly string[] }
  if (GrantTokens.length === 0) return []
  const opened = await Promise.all(GrantTokens.map((token) => openGrantToken(token, call)))
  const valid = opened.filter((address) => address !== null)
  if (valid.length < opened.length && operation !== PASSES_OVER_BAD_TOKENS) {
    throw new JsonError('InvalidGrantTokenException')
  }
  return valid
}

/** @returns `null` for what is not a token of this Region */
export async function openGrantToken(token: string, call: Call): Promise<GrantAddress | null> {
  const address = await call.services.grantTokens.open(token)
  return address?.region === call.region ? address : null
}

/**
 * What the caller's grants on a key do for what it asks. The store is not asked for what grants cannot
 * allow; a token of a grant on the key has it asked anew, so that a grant that was made elsewhere
 * a moment ago works at once.
 * @returns `null` when no grant covers it
 */
export async function grantEffect(
  use: KeyUse,
  { key }: FoundKey,
  { encryptionContext = {} }: RequestConditions,
  tokens: readonly GrantAddress[],
  { caller, services }: Call,
): Promise<GrantEffect | null> {
  if (!isGrantable(use.action)) return null
  const fresh = use.cached !== true || tokens.some((token) => isOn(token, key))
  const grants = await services.grants.ofCaller(key, caller, fresh)
  const covers = (grant: GrantRecord): boolean =>
    coversUse(grant, use.action, encryptionContext) && use.grants?.(grant) !== false
  return strongestGrant(grants.filter(covers).map((grant) => effectFor(grant, caller)))
}

const isOn = (token: GrantAddress, key: FoundKey['key']): boolean =>
  token.account === key.account && token.keyId === key.keyId
