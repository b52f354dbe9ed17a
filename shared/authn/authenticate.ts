/**
 * Who makes a request: AWS Signature Version 4, verified. Beside it only a verified token of an
 * identity provider makes a `Caller` (bearer.ts), so whoever holds one is who it says.
 */
import type { KeyObject } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { parseAccessKeyId, type Region } from '../ids.ts'
import { isTemporary } from '../tenants/access-key-id.ts'
import type { AccessKeys, ActiveAccessKey } from '../tenants/access-keys.ts'
import { type Caller, callerOf } from './caller.ts'
import { type Claim, readClaim } from './claim.ts'
import { equalsDigest } from './equal-hex.ts'
import { type AuthenticationFailure, Refusal } from './failure.ts'
import { readFormClaim, type SignedForm } from './form-claim.ts'
import { type Payload, payloadOf } from './payload.ts'
import type { SignedRequest } from './request.ts'
import { SERVICE_RULES, type Service, type ServiceRules } from './service-rules.ts'
import type { Sessions } from './sessions.ts'
import { hmac, SigningKeys } from './signing-key.ts'
import { scopeText } from './string-to-sign.ts'

export type Authentication =
  | {
      readonly ok: true
      readonly caller: Caller
      readonly region: Region
      /** Only S3 has more than one kind; the body of the others is hashed and verified here. */
      readonly payload: Payload
      readonly presigned: boolean
    }
  | { readonly ok: false; readonly failure: AuthenticationFailure }

export interface AuthenticatorOptions {
  readonly accessKeys: AccessKeys
  /** Of temporary credentials. */
  readonly sessions: Pick<Sessions, 'open' | 'isOver' | 'callerOf'>
  readonly clock: Clock
  /** The Regions that are served. */
  readonly regions: readonly Region[]
  /** Public hosts, with their port if it is not the scheme's; `*.` at the front stands for any labels. None: any host. */
  readonly hosts?: readonly string[]
}

export class Authenticator {
  readonly #accessKeys: AccessKeys
  readonly #sessions: AuthenticatorOptions['sessions']
  readonly #signingKeys: SigningKeys
  readonly #clock: Clock
  readonly #regions: readonly Region[]
  readonly #hosts: readonly string[]

  constructor({ accessKeys, sessions, clock, regions, hosts = [] }: AuthenticatorOptions) {
    this.#accessKeys = accessKeys
    this.#sessions = sessions
    this.#signingKeys = new SigningKeys(clock, (record) => accessKeys.reveal(record))
    this.#clock = clock
    this.#regions = regions
    this.#hosts = hosts.map((host) => host.toLowerCase())
  }

  /**
   * @param expected.body - the whole raw body for the services that sign it; `null` for S3, where
   *   `payload` tells how to verify the stream
   * @throws when the store or the HSM cannot be reached; a request that is not authentic is a value
   */
  authenticate(
    request: SignedRequest,
    { service, body }: { readonly service: Service; readonly body: Buffer | null },
  ): Promise<Authentication> {
    return this.#authenticate(request, SERVICE_RULES[service], body)
  }

  /**
   * Who made a form that a browser sends. Nothing but its policy is signed, and the body is not.
   * @throws as `authenticate` does
   */
  async authenticateForm(form: SignedForm): Promise<Authentication> {
    const expected = { regions: this.#regions, hosts: this.#hosts, now: this.#clock.now() }
    const claim = readFormClaim(form, expected)
    if (claim instanceof Refusal) return { ok: false, failure: claim.failure }
    const answer = await this.#authenticateClaim(claim)
    return answer.ok ? { ...answer, presigned: false } : answer
  }

  async #authenticate(
    request: SignedRequest,
    rules: ServiceRules,
    body: Buffer | null,
  ): Promise<Authentication> {
    const claim = readClaim(request, body, {
      rules,
      regions: this.#regions,
      hosts: this.#hosts,
      now: this.#clock.now(),
    })
    if (claim instanceof Refusal) return { ok: false, failure: claim.failure }
    return this.#authenticateClaim(claim)
  }

  async #authenticateClaim(claim: Claim): Promise<Authentication> {
    if (isTemporary(claim.credential.accessKeyId)) return this.#authenticateSession(claim)
    const accessKey = await this.#find(claim.credential.accessKeyId)
    const signingKey = await this.#signingKey(accessKey, claim)
    return judge(claim, accessKey, signingKey)
  }

  /**
   * Nothing is read from the store before the signature is verified, so that nothing shows to who has
   * a token without its secret.
   */
  async #authenticateSession(claim: Claim): Promise<Authentication> {
    const { credential, presented } = claim
    const { accessKeyId } = credential
    const { sessionToken } = presented
    const id = parseAccessKeyId(accessKeyId)
    const opened =
      id === null || sessionToken === null ? null : await this.#sessions.open(id, sessionToken)
    if (id === null || opened === null) {
      isSignedWith(this.#signingKeys.ofNobody(credential), claim)
      return sessionToken === null
        ? refused({ kind: 'unknown-access-key', accessKeyId })
        : refused({ kind: 'bad-session-token' })
    }
    const signingKey = this.#signingKeys.ofSession(id, opened.signingSecret, credential)
    if (!isSignedWith(signingKey, claim)) return refused({ kind: 'mismatch', accessKeyId })
    if (this.#sessions.isOver(opened.session)) return refused({ kind: 'expired-session' })
    const caller = await this.#sessions.callerOf(id, opened.session)
    return caller === null
      ? refused({ kind: 'bad-session-token' })
      : accepted(claim, caller, signingKey)
  }

  async #find(accessKeyId: string): Promise<ActiveAccessKey | null> {
    const id = parseAccessKeyId(accessKeyId)
    return id === null ? null : this.#accessKeys.find(id)
  }

  async #signingKey(accessKey: ActiveAccessKey | null, claim: Claim): Promise<KeyObject> {
    if (accessKey === null) return this.#signingKeys.ofNobody(claim.credential)
    return this.#signingKeys.get(accessKey.record, claim.credential)
  }
}

/**
 * The order is AWS's: access key, signature, session token. The signature is verified for unknown
 * access keys too, so that both take as long.
 */
function judge(
  claim: Claim,
  accessKey: ActiveAccessKey | null,
  signingKey: KeyObject,
): Authentication {
  const { accessKeyId } = claim.credential
  const isSigned = isSignedWith(signingKey, claim)
  if (accessKey === null) return refused({ kind: 'unknown-access-key', accessKeyId })
  if (!isSigned) return refused({ kind: 'mismatch', accessKeyId })
  // Long-term access keys have no session.
  if (claim.presented.sessionToken !== null) return refused({ kind: 'bad-session-token' })
  return accepted(claim, callerOf(accessKey), signingKey)
}

const accepted = (claim: Claim, caller: Caller, signingKey: KeyObject): Authentication => ({
  ok: true,
  caller,
  region: claim.credential.region,
  payload: payloadOf(claim.payload, {
    seedSignature: claim.presented.signature,
    signingKey,
    timestamp: claim.timestamp,
    scope: scopeText(claim.credential),
  }),
  presigned: claim.presented.via === 'query',
})

/** Whether the claim's signature was made with the key. Also the last word on the published test suite. */
export function isSignedWith(signingKey: KeyObject, claim: Claim): boolean {
  const signature = hmac(signingKey, claim.stringToSign ?? '')
  return claim.stringToSign !== null && equalsDigest(claim.presented.signature, signature)
}

const refused = (failure: AuthenticationFailure): Authentication => ({ ok: false, failure })
