/**
 * What was destroyed with a tenant, stated and signed. A tenant's key is all that opens what it has:
 * once no version of it is left, everything below it is unreadable for good, backups included, because
 * the table of the tenant keys has none.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import type { AccountId } from '../ids.ts'
import type { TenantKeyRecord, TenantRecord } from '../store/records.ts'
import { OPERATOR_ACCOUNT } from './operator.ts'
import type { TenantKeys } from './tenant-keys.ts'

export interface DestructionStatement {
  readonly Version: 1
  readonly AccountId: AccountId
  readonly Name: string
  /** Of the tenant's creation and of the destruction: `2026-11-24T12:00:00.000Z`. */
  readonly CreatedAt: string
  readonly DestroyedAt: string
  readonly TenantKeys: readonly {
    readonly Version: number
    readonly RootKeyId: string
    /** SHA-256 of the sealed key, in hex. */
    readonly SealedSha256: string
    readonly CreatedAt: string
  }[]
}

export interface SignedStatement {
  /** The statement as JSON: exactly these bytes, in UTF-8, are signed. */
  readonly Statement: string
  /** Ed25519 (RFC 8032), in base64. */
  readonly Signature: string
  readonly SigningAlgorithm: 'ED25519'
}

const iso = (time: number): string => new Date(time).toISOString()

/** @param versions - of the tenant's key, all of them */
export const statementOf = (
  { account, name, createdAt }: TenantRecord,
  versions: readonly TenantKeyRecord[],
  now: number,
): DestructionStatement => ({
  Version: 1,
  AccountId: account,
  Name: name,
  CreatedAt: iso(createdAt),
  DestroyedAt: iso(now),
  TenantKeys: versions.map(({ version, rootKeyId, sealed, createdAt: made }) => ({
    Version: version,
    RootKeyId: rootKeyId,
    SealedSha256: createHash('sha256').update(sealed).digest('hex'),
    CreatedAt: iso(made),
  })),
})

/** @throws TenantKeyMissing when there is no operator tenant; HsmUnavailable */
export async function signStatement(
  statement: string,
  tenantKeys: TenantKeys,
): Promise<SignedStatement> {
  const signature = sign(null, Buffer.from(statement), await signingKey(tenantKeys))
  return {
    Statement: statement,
    Signature: signature.toString('base64'),
    SigningAlgorithm: 'ED25519',
  }
}

/** @returns what verifies statements, as PEM (SubjectPublicKeyInfo, RFC 8410) */
export async function statementVerifier(tenantKeys: TenantKeys): Promise<string> {
  const key = createPublicKey(await signingKey(tenantKeys))
  return key.export({ type: 'spki', format: 'pem' }).toString()
}

/** PrivateKeyInfo of an Ed25519 key, up to its 32 bytes (RFC 8410 section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/** An Ed25519 private key is any 32 random bytes (RFC 8032 section 5.1.5): here, a key derived for nothing else. */
async function signingKey(tenantKeys: TenantKeys): Promise<KeyObject> {
  const operatorKey = await tenantKeys.version(OPERATOR_ACCOUNT, 1)
  const seed = operatorKey.purpose('statement').export()
  const der = Buffer.concat([PKCS8_PREFIX, seed])
  seed.fill(0)
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  } finally {
    der.fill(0)
  }
}
