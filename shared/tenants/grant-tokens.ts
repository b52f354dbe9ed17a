/**
 * Grant tokens: which grant somebody was given, sealed under a key of the tenant that has the key, so
 * that nobody else makes or alters one (AWS KMS Developer Guide, "Grant tokens").
 *
 *   offset  length
 *        0       1   version, 01
 *        1       6   account, u48be
 *        7       4   tenant key version, u32be
 *       11       n   sealed box over the JSON array [Region, key id, grant id]
 *
 * in base64url. The front is the AAD. Every token of a grant is another one, and all stay valid.
 */
import { encodeFields } from '../crypto/encoding.ts'
import { open, seal } from '../crypto/sealed-box.ts'
import {
  type AccountId,
  type GrantId,
  type KeyId,
  PARTITION,
  parseAccountId,
  parseGrantId,
  parseKeyId,
  parseRegion,
  type Region,
} from '../ids.ts'
import { TenantKeyMissing, type TenantKeys } from './tenant-keys.ts'

const LABEL = 'keyhold/grant-token'
const VERSION = 1
const ACCOUNT_LENGTH = 6
const FRONT_LENGTH = 1 + ACCOUNT_LENGTH + 4

/** What a grant token tells: where a grant is, or was. */
export interface GrantAddress {
  readonly account: AccountId
  readonly region: Region
  readonly keyId: KeyId
  readonly grantId: GrantId
}

export class GrantTokens {
  readonly #tenantKeys: TenantKeys

  constructor(tenantKeys: TenantKeys) {
    this.#tenantKeys = tenantKeys
  }

  /**
   * @returns a new token of the grant, about 300 characters of base64url
   * @throws TenantKeyMissing, TenantKeyDamaged, HsmUnavailable
   */
  async seal({ account, region, keyId, grantId }: GrantAddress): Promise<string> {
    const tenantKey = await this.#tenantKeys.current(account)
    const front = encodeFront(account, tenantKey.version)
    const content = Buffer.from(JSON.stringify([region, keyId, grantId]))
    const sealed = seal(tenantKey.purpose('grant-token'), LABEL, content, aadOf(front))
    return Buffer.concat([front, sealed]).toString('base64url')
  }

  /**
   * @returns where the token's grant is, whether or not it is still there; `null` for anything that
   *   `seal` did not give
   * @throws TenantKeyDamaged, HsmUnavailable
   */
  async open(token: string): Promise<GrantAddress | null> {
    const bytes = Buffer.from(token, 'base64url')
    if (bytes.length <= FRONT_LENGTH || bytes.toString('base64url') !== token) return null
    const account = parseAccountId(String(bytes.readUIntBE(1, ACCOUNT_LENGTH)).padStart(12, '0'))
    if (bytes[0] !== VERSION || account === null) return null
    const key = await this.#purposeKey(account, bytes.readUInt32BE(1 + ACCOUNT_LENGTH))
    if (key === null) return null
    const front = bytes.subarray(0, FRONT_LENGTH)
    const content = open(key, LABEL, bytes.subarray(FRONT_LENGTH), aadOf(front))
    return content && parseContent(account, content)
  }

  /** A version that the tenant does not have is one that nobody has sealed by, so it is not looked for. */
  async #purposeKey(account: AccountId, version: number) {
    try {
      const current = await this.#tenantKeys.current(account)
      if (version < 1 || version > current.version) return null
      const sealer =
        version === current.version ? current : await this.#tenantKeys.version(account, version)
      return sealer.purpose('grant-token')
    } catch (error) {
      if (error instanceof TenantKeyMissing) return null
      throw error
    }
  }
}

function encodeFront(account: AccountId, version: number): Buffer {
  const front = Buffer.alloc(FRONT_LENGTH)
  front[0] = VERSION
  front.writeUIntBE(Number(account), 1, ACCOUNT_LENGTH)
  front.writeUInt32BE(version, 1 + ACCOUNT_LENGTH)
  return front
}

const aadOf = (front: Buffer): Buffer => encodeFields('keyhold grant token v1', PARTITION, front)

function parseContent(account: AccountId, content: Buffer): GrantAddress | null {
  const [regionText, keyText, grantText] = JSON.parse(content.toString()) as string[]
  const region = parseRegion(regionText ?? '')
  const keyId = parseKeyId(keyText ?? '')
  const grantId = parseGrantId(grantText ?? '')
  if (region === null || keyId === null || grantId === null) return null
  return { account, region, keyId, grantId }
}
