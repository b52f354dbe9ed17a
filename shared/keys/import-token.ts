/**
 * The import token of GetParametersForImport: it holds the private half of the import wrapping key,
 * sealed under a key of the tenant, so that the service keeps nothing between the two calls. It opens
 * for the one KMS key that it was made for, as often as it is shown.
 *
 *   token    tenant key version u32be | sealed box (shared/crypto/sealed-box.ts)
 *   sealed   milliseconds since the epoch at which it expires u64be | wrapping 1 | PKCS#8 DER
 */
import type { KeyObject } from 'node:crypto'
import { encodeFields } from '../crypto/encoding.ts'
import { IMPORT_WRAPPINGS, type ImportWrapping } from '../crypto/import-wrapping.ts'
import { openPrivateKey } from '../crypto/private-keys.ts'
import { open, seal } from '../crypto/sealed-box.ts'
import { PARTITION } from '../ids.ts'
import type { KeyName } from '../store/repositories.ts'
import { type TenantKey, TenantKeyMissing, type TenantKeys } from '../tenants/tenant-keys.ts'

const LABEL = 'keyhold import token v1'
const VERSION_LENGTH = 4
const EXPIRY_LENGTH = 8
const HEADER_LENGTH = EXPIRY_LENGTH + 1

export interface ImportParameters {
  readonly wrapping: ImportWrapping
  readonly importWrappingKey: KeyObject
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/**
 * @param tenantKey - the current one of the key's tenant
 * @param privateKey - of the import wrapping key, PKCS#8 DER; wiped
 * @returns about 90 bytes more than the private key
 */
export function sealImportToken(
  tenantKey: TenantKey,
  key: KeyName,
  parameters: Omit<ImportParameters, 'importWrappingKey'>,
  privateKey: Buffer,
): Buffer {
  const header = Buffer.alloc(HEADER_LENGTH)
  header.writeBigUInt64BE(BigInt(parameters.expiresAt))
  header[EXPIRY_LENGTH] = IMPORT_WRAPPINGS.indexOf(parameters.wrapping)
  const content = Buffer.concat([header, privateKey])
  privateKey.fill(0)
  const version = Buffer.alloc(VERSION_LENGTH)
  version.writeUInt32BE(tenantKey.version)
  const sealed = seal(tenantKey.purpose('import'), LABEL, content, aad(key, tenantKey.version))
  content.fill(0)
  return Buffer.concat([version, sealed])
}

/**
 * @returns what the token holds, also when it has expired; `null` when it was altered, or made for
 *   another key
 * @throws TenantKeyDamaged, HsmUnavailable
 */
export async function openImportToken(
  tenantKeys: TenantKeys,
  key: KeyName,
  token: Buffer,
): Promise<ImportParameters | null> {
  if (token.length <= VERSION_LENGTH) return null
  const version = token.readUInt32BE()
  const tenantKey = await tenantKeyOf(tenantKeys, key, version)
  if (tenantKey === null) return null
  const sealed = token.subarray(VERSION_LENGTH)
  const content = open(tenantKey.purpose('import'), LABEL, sealed, aad(key, version))
  if (content === null) return null
  try {
    return parseContent(content)
  } finally {
    content.fill(0)
  }
}

/** The version is the token's word until the box opens. */
async function tenantKeyOf(
  tenantKeys: TenantKeys,
  { account }: KeyName,
  version: number,
): Promise<TenantKey | null> {
  const current = await tenantKeys.current(account)
  if (version === current.version) return current
  if (version < 1 || version > current.version) return null
  try {
    return await tenantKeys.version(account, version)
  } catch (error) {
    if (error instanceof TenantKeyMissing) return null
    throw error
  }
}

function parseContent(content: Buffer): ImportParameters {
  const wrapping = IMPORT_WRAPPINGS[content[EXPIRY_LENGTH] ?? -1]
  if (wrapping === undefined) throw new Error('An import token of an unknown wrapping algorithm.')
  return {
    wrapping,
    importWrappingKey: openPrivateKey(content.subarray(HEADER_LENGTH)),
    expiresAt: Number(content.readBigUInt64BE()),
  }
}

const aad = ({ account, region, keyId }: KeyName, tenantKeyVersion: number): Buffer =>
  encodeFields(LABEL, PARTITION, account, region, keyId, tenantKeyVersion)
