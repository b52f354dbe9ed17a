/** How a grant lies in the table: beside its key, under an id that leads with a tag of its grantee. */
import { createHash } from 'node:crypto'
import { encodeFields } from '../crypto/encoding.ts'
import {
  type AccountId,
  type GrantId,
  parseAccountId,
  parseGrantId,
  parseKeyId,
  parseRegion,
  type Region,
} from '../ids.ts'
import {
  type Item,
  integer,
  isListOf,
  isRecord,
  isTextMap,
  json,
  nullable,
  parsed,
  record,
  text,
} from './attribute-values.ts'
import { type KeyIdentity, keyPartition } from './key-rows.ts'
import {
  GRANT_OPERATIONS,
  type GrantConstraints,
  type GrantOperation,
  type GrantRecord,
} from './records.ts'
import { RowMisplaced } from './repositories.ts'
import { type ItemKey, requirePlace } from './table.ts'

/** Hex digits of a grant id that tell its grantee: 96 bits. */
const TAG_LENGTH = 24
/** Hex digits of a grant id that are its own. */
export const GRANT_ID_REST_LENGTH = 64 - TAG_LENGTH

export const GRANT_PREFIX = 'grant#'

const isOperation = (value: unknown): value is GrantOperation =>
  GRANT_OPERATIONS.some((operation) => operation === value)

const isOptional = <Value>(value: unknown, is: (value: unknown) => value is Value): boolean =>
  value === undefined || is(value)

const isText = (value: unknown): value is string => typeof value === 'string'

const isConstraints = (value: unknown): value is GrantConstraints =>
  isRecord(value) &&
  isOptional(value.encryptionContextEquals, isTextMap) &&
  isOptional(value.encryptionContextSubset, isTextMap) &&
  isOptional(value.sourceArn, isText)

const grantRow = record<GrantRecord>({
  account: parsed(parseAccountId),
  region: parsed(parseRegion),
  keyId: parsed(parseKeyId),
  grantId: parsed(parseGrantId),
  name: nullable(text),
  createdAt: integer,
  issuingAccount: parsed(parseAccountId),
  grantee: text,
  retiring: nullable(text),
  operations: json(isListOf(isOperation)),
  constraints: nullable(json(isConstraints)),
  breakGlassUntil: nullable(integer),
})

/**
 * What the ids of all grants of one grantee on one key begin with, so that they lie side by side and
 * yet each is found by its id alone. Of the same grantee on another key it is another.
 */
export const granteeTag = (key: KeyIdentity, grantee: string): string =>
  createHash('sha256')
    .update(encodeFields('keyhold grantee v1', keyPartition(key), grantee))
    .digest('hex')
    .slice(0, TAG_LENGTH)

/**
 * @param rest - 40 lower-case hex digits
 * @throws TypeError when they are not
 */
export function grantIdOf(key: KeyIdentity, grantee: string, rest: string): GrantId {
  const id = parseGrantId(granteeTag(key, grantee) + rest)
  if (id === null) throw new TypeError('Not the form of a grant id.')
  return id
}

export const grantPlace = (key: KeyIdentity, grantId: GrantId): ItemKey => ({
  pk: keyPartition(key),
  sk: GRANT_PREFIX + grantId,
})

/** The listing of what a principal may retire. @param owner - the account that it belongs to */
export const retirableBy = (owner: AccountId, region: Region, retiring: string): string =>
  `${owner}#${region}#retirable#${retiring}`

/** The account of a user or an account; `null` for a service. */
const principalAccount = (principal: string): AccountId | null =>
  parseAccountId(principal.slice(0, 12))

/** The listing that a grant is in; `null` when nobody but its makers and users may retire it. */
export const retirableListing = ({ retiring, account, region }: GrantRecord): string | null =>
  retiring && retirableBy(principalAccount(retiring) ?? account, region, retiring)

export function encodeGrant(grant: GrantRecord): Item {
  const item = grantRow.encode(grant)
  const retiringPrincipal = retirableListing(grant)
  if (retiringPrincipal === null) return item
  const { account, keyId, grantId } = grant
  return { ...item, retiringPrincipal, retiringSort: `${account}#${keyId}#${grantId}` }
}

/** @throws RowMalformed, RowMisplaced */
export function parseGrant(item: Item): GrantRecord {
  const found = grantRow.parse(item)
  requirePlace(item, grantPlace(found, found.grantId))
  if (!found.grantId.startsWith(granteeTag(found, found.grantee))) {
    throw new RowMisplaced('A grant for another grantee than its id tells.')
  }
  return found
}
