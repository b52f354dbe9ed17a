/**
 * Identifiers, branded so that one cannot be passed for another, and minted only by the parsers and
 * builders of this file. Forms: AWS KMS API reference, "Key identifiers (KeyId)".
 */
declare const brand: unique symbol
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name }

/** Twelve digits. A tenant is an account. */
export type AccountId = Branded<string, 'AccountId'>
export type Region = Branded<string, 'Region'>
/** `1234abcd-12ab-34cd-56ef-1234567890ab`, or `mrk-` and 32 hex digits for a multi-Region key. */
export type KeyId = Branded<string, 'KeyId'>
export type KeyArn = Branded<string, 'KeyArn'>
/** With its prefix: `alias/payments`. */
export type AliasName = Branded<string, 'AliasName'>
export type AliasArn = Branded<string, 'AliasArn'>
/** 64 lower-case hex digits, one for each version of a key's material. */
export type MaterialId = Branded<string, 'MaterialId'>
/** 20 characters, `AKIA…` for long-term credentials. */
export type AccessKeyId = Branded<string, 'AccessKeyId'>
/** Stable id of a principal (`AIDA…`), never reused when a name is. */
export type PrincipalId = Branded<string, 'PrincipalId'>
/** 64 lower-case hex digits. */
export type GrantId = Branded<string, 'GrantId'>
export type BucketName = Branded<string, 'BucketName'>

export const PARTITION = 'aws'

const ACCOUNT_ID = /^[0-9]{12}$/
const REGION = /^(?:[a-z]+-){2,3}[0-9]+$/
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const MULTI_REGION_KEY_ID = /^mrk-[0-9a-f]{32}$/
const HEX_256 = /^[0-9a-f]{64}$/
const ACCESS_KEY_ID = /^[A-Z0-9]{16,128}$/

/** @returns the account id, or `null` when the text is not twelve digits */
export const parseAccountId = (text: string): AccountId | null =>
  ACCOUNT_ID.test(text) ? (text as AccountId) : null

/** @returns the Region name, or `null` when the text has not the form of one */
export const parseRegion = (text: string): Region | null =>
  REGION.test(text) ? (text as Region) : null

/** @returns the key id, in lower case, or `null` when the text has not the form of one */
export const parseKeyId = (text: string): KeyId | null =>
  UUID.test(text) || MULTI_REGION_KEY_ID.test(text) ? (text.toLowerCase() as KeyId) : null

/** @returns the material id, or `null` when the text is not 64 lower-case hex digits */
export const parseMaterialId = (text: string): MaterialId | null =>
  HEX_256.test(text) ? (text as MaterialId) : null

/** @returns the grant id, or `null` when the text is not 64 lower-case hex digits */
export const parseGrantId = (text: string): GrantId | null =>
  HEX_256.test(text) ? (text as GrantId) : null

/** @returns the access key id, or `null` when the text has not the form of one */
export const parseAccessKeyId = (text: string): AccessKeyId | null =>
  ACCESS_KEY_ID.test(text) ? (text as AccessKeyId) : null

/** An alias name as stored or checked elsewhere; this only brands it. */
export const aliasNameOf = (text: string): AliasName => text as AliasName

/** A principal's stable id as stored; this only brands it. */
export const principalIdOf = (text: string): PrincipalId => text as PrincipalId

/** A bucket name that was checked or stored before; this only brands it. */
export const bucketNameOf = (text: string): BucketName => text as BucketName

export const keyArn = (region: Region, account: AccountId, keyId: KeyId): KeyArn =>
  `arn:${PARTITION}:kms:${region}:${account}:key/${keyId}` as KeyArn

/** @param aliasName - with its prefix `alias/` */
export const aliasArn = (region: Region, account: AccountId, aliasName: string): AliasArn =>
  `arn:${PARTITION}:kms:${region}:${account}:${aliasName}` as AliasArn

export const isMultiRegionKeyId = (keyId: KeyId): boolean => keyId.startsWith('mrk-')
