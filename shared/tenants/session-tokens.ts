/**
 * Session tokens: temporary credentials and what they stand for, sealed under a key of the tenant, so
 * that nothing is kept of them and nobody else makes or alters one.
 *
 *   offset  length
 *        0       1   version, 01
 *        1       6   account, u48be
 *        7       4   tenant key version, u32be
 *       11       n   sealed box over: secret access key (40) || session, JSON, deflated
 *
 * in base64url. The front and the access key id are the AAD: a token opens with its own id alone.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { encodeFields } from '../crypto/encoding.ts'
import { freshBytes } from '../crypto/random.ts'
import { open, seal } from '../crypto/sealed-box.ts'
import {
  type AccessKeyId,
  type AccountId,
  PARTITION,
  type PrincipalId,
  parseAccountId,
} from '../ids.ts'
import type { PolicyDocument, Tag } from '../store/records.ts'
import { newTemporaryAccessKeyId } from './access-key-id.ts'
import { TenantKeyMissing, type TenantKeys } from './tenant-keys.ts'

const LABEL = 'keyhold/session-token'
const VERSION = 1
const ACCOUNT_LENGTH = 6
const FRONT_LENGTH = 1 + ACCOUNT_LENGTH + 4
/** 30 random bytes in base64, as long as the secrets that IAM makes. */
const SECRET_BYTES = 30
const SECRET_LENGTH = 40
/** More than `seal` ever gives, and less than would be work to refuse. */
const MAX_TOKEN_LENGTH = 16_384
const MAX_SESSION_BYTES = 131_072
/** What signatures are derived from: "Create a signed AWS API request", step 4. */
const SECRET_PREFIX = Buffer.from('AWS4')

/** What temporary credentials stand for. Times in milliseconds since the epoch. */
export interface SessionContent {
  /** Of the user or role whose policies hold. */
  readonly account: AccountId
  readonly principalId: PrincipalId
  /** Of a session of a role; `null`: of a user. */
  readonly sessionName: string | null
  readonly issuedAt: number
  readonly expiresAt: number
  /** Given to the session, beside those of the principal. */
  readonly tags: readonly Tag[]
  /** Keys of those tags that sessions begun by this one have too. */
  readonly transitiveTagKeys: readonly string[]
  /** What the session is limited to; `null`: by nothing. */
  readonly limits: {
    readonly documents: readonly PolicyDocument[]
    /** ARNs of managed policies. */
    readonly policyArns: readonly string[]
  } | null
  readonly sourceIdentity: string | null
  readonly federated: {
    readonly provider: string
    readonly subject: string
    readonly audience: string
  } | null
}

/** Credentials as a caller gets them, the only copy of the secret outside of the token. */
export interface TemporaryCredentials {
  readonly accessKeyId: AccessKeyId
  readonly secretAccessKey: string
  readonly sessionToken: string
}

export interface OpenedToken {
  readonly session: SessionContent
  /** `AWS4` and the secret access key: what signing keys are derived from. */
  readonly signingSecret: KeyObject
}

export class SessionTokens {
  readonly #tenantKeys: TenantKeys

  constructor(tenantKeys: TenantKeys) {
    this.#tenantKeys = tenantKeys
  }

  /**
   * @returns new credentials for the session; the token is about 400 characters and what `packedSize`
   *   says of tags and policies, four thirds of it
   * @throws TenantKeyMissing, TenantKeyDamaged, HsmUnavailable
   */
  async issue(session: SessionContent): Promise<TemporaryCredentials> {
    const tenantKey = await this.#tenantKeys.current(session.account)
    const accessKeyId = newTemporaryAccessKeyId()
    const secretAccessKey = freshBytes(SECRET_BYTES).toString('base64')
    const front = encodeFront(session.account, tenantKey.version)
    const content = Buffer.concat([Buffer.from(secretAccessKey), packed(session)])
    const aad = aadOf(front, accessKeyId)
    const sealed = seal(tenantKey.purpose('session'), LABEL, content, aad)
    content.fill(0)
    const sessionToken = Buffer.concat([front, sealed]).toString('base64url')
    return { accessKeyId, secretAccessKey, sessionToken }
  }

  /**
   * @returns what the token stands for, expired or not; `null` for anything that `issue` did not give
   *   together with that access key id
   * @throws TenantKeyDamaged, HsmUnavailable
   */
  async open(accessKeyId: AccessKeyId, token: string): Promise<OpenedToken | null> {
    if (token.length > MAX_TOKEN_LENGTH) return null
    const bytes = Buffer.from(token, 'base64url')
    if (bytes.length <= FRONT_LENGTH || bytes.toString('base64url') !== token) return null
    const account = parseAccountId(String(bytes.readUIntBE(1, ACCOUNT_LENGTH)).padStart(12, '0'))
    if (bytes[0] !== VERSION || account === null) return null
    const key = await this.#purposeKey(account, bytes.readUInt32BE(1 + ACCOUNT_LENGTH))
    if (key === null) return null
    const aad = aadOf(bytes.subarray(0, FRONT_LENGTH), accessKeyId)
    const content = open(key, LABEL, bytes.subarray(FRONT_LENGTH), aad)
    return content && parseContent(account, content)
  }

  /** A version that the tenant does not have is one that nobody has sealed by, so it is not looked for. */
  async #purposeKey(account: AccountId, version: number): Promise<KeyObject | null> {
    try {
      const current = await this.#tenantKeys.current(account)
      if (version < 1 || version > current.version) return null
      const sealer =
        version === current.version ? current : await this.#tenantKeys.version(account, version)
      return sealer.purpose('session')
    } catch (error) {
      if (error instanceof TenantKeyMissing) return null
      throw error
    }
  }
}

/** @returns how many bytes of a token the tags and policies of a session take */
export const packedSize = ({ tags, limits }: Pick<SessionContent, 'tags' | 'limits'>): number =>
  deflateRawSync(Buffer.from(JSON.stringify([tags, limits]))).length

const packed = (session: SessionContent): Buffer =>
  deflateRawSync(Buffer.from(JSON.stringify(session)))

function parseContent(account: AccountId, content: Buffer): OpenedToken {
  const signingSecret = signingSecretOf(content.subarray(0, SECRET_LENGTH))
  const json = inflateRawSync(content.subarray(SECRET_LENGTH), {
    maxOutputLength: MAX_SESSION_BYTES,
  })
  content.fill(0)
  // The tag says that this is what `issue` wrote; the account is the one whose key opened it.
  return { session: { ...(JSON.parse(json.toString()) as SessionContent), account }, signingSecret }
}

function signingSecretOf(secret: Buffer): KeyObject {
  const bytes = Buffer.concat([SECRET_PREFIX, secret])
  const key = createSecretKey(bytes)
  bytes.fill(0)
  return key
}

function encodeFront(account: AccountId, version: number): Buffer {
  const front = Buffer.alloc(FRONT_LENGTH)
  front[0] = VERSION
  front.writeUIntBE(Number(account), 1, ACCOUNT_LENGTH)
  front.writeUInt32BE(version, 1 + ACCOUNT_LENGTH)
  return front
}

const aadOf = (front: Buffer, accessKeyId: AccessKeyId): Buffer =>
  encodeFields('keyhold session token v1', PARTITION, front, accessKeyId)
