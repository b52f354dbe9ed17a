/**
 * Pagination tokens: where a listing stands, sealed under a key of the tenant and bound to the
 * operation and its parameters, so that a token is worth nothing anywhere else.
 */
import { encodeFields } from '../crypto/encoding.ts'
import { open, seal } from '../crypto/sealed-box.ts'
import type { AccountId, Region } from '../ids.ts'
import type { TenantKeys } from './tenant-keys.ts'

const LABEL = 'keyhold/marker'
const VERSION_LENGTH = 4

/** What a token is bound to. */
export interface Listing {
  readonly account: AccountId
  readonly region: Region
  readonly operation: string
  /** The request's other parameters, in a fixed order. */
  readonly parameters: readonly string[]
}

export class Markers {
  readonly #tenantKeys: TenantKeys

  constructor(tenantKeys: TenantKeys) {
    this.#tenantKeys = tenantKeys
  }

  /** @returns the token: base64url of `tenant key version (4, big-endian) || sealed position` */
  async seal(listing: Listing, position: string): Promise<string> {
    const tenantKey = await this.#tenantKeys.current(listing.account)
    const version = Buffer.alloc(VERSION_LENGTH)
    version.writeUInt32BE(tenantKey.version)
    const sealed = seal(tenantKey.purpose('marker'), LABEL, Buffer.from(position), aad(listing))
    return Buffer.concat([version, sealed]).toString('base64url')
  }

  /** @returns the position; `null` when the token is altered, of another tenant, or of another listing */
  async open(listing: Listing, token: string): Promise<string | null> {
    const bytes = Buffer.from(token, 'base64url')
    const tenantKey = await this.#tenantKeys.current(listing.account)
    if (bytes.length <= VERSION_LENGTH || bytes.toString('base64url') !== token) return null
    const version = bytes.readUInt32BE()
    if (version < 1 || version > tenantKey.version) return null
    const sealer =
      version === tenantKey.version
        ? tenantKey
        : await this.#tenantKeys.version(listing.account, version)
    const position = open(
      sealer.purpose('marker'),
      LABEL,
      bytes.subarray(VERSION_LENGTH),
      aad(listing),
    )
    return position?.toString() ?? null
  }
}

const aad = ({ account, region, operation, parameters }: Listing): Buffer =>
  encodeFields(account, region, operation, ...parameters)
