/**
 * Access keys: an id that callers show and a secret that they sign with. Verifying a signature needs
 * the secret itself, so it is kept wrapped by the tenant key and unwrapped for the moment in which a
 * signing key is derived.
 */
import { ReadCache } from '../cache.ts'
import type { Clock } from '../clock.ts'
import { encodeFields } from '../crypto/encoding.ts'
import { freshBytes } from '../crypto/random.ts'
import { open, seal } from '../crypto/sealed-box.ts'
import { type AccessKeyId, type AccountId, PARTITION, type PrincipalId } from '../ids.ts'
import type {
  AccessKeyRecord,
  PolicyDocument,
  PrincipalRecord,
  TenantRecord,
  UserRecord,
} from '../store/records.ts'
import type { TenantRepository } from '../store/repositories.ts'
import { newAccessKeyId } from './access-key-id.ts'
import { policyInForce } from './managed-policies.ts'
import type { TenantKeys } from './tenant-keys.ts'

const LABEL = 'keyhold/access-key'
const MAX_ENTRIES = 10_000
/** 30 bytes are 240 bits and 40 characters of base64, as long as the secrets that IAM makes. */
const SECRET_LENGTH = 30

/** A principal of an active tenant, with what it may do. */
export interface ActivePrincipal<Record extends PrincipalRecord = PrincipalRecord> {
  readonly principal: Record
  /** All identity policies of the principal, inline and managed. */
  readonly policies: readonly PolicyDocument[]
  readonly boundary: PolicyDocument | null
  /** Whether the principal is one of the operator tenant. */
  readonly operator: boolean
  /** Requests a second, by quota, that an operator set for the tenant. */
  readonly quotas: TenantRecord['quotas']
}

const NOTHING: PolicyDocument = {
  name: 'missing',
  document: JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }],
  }),
}

/** An access key that may be used now, with the principal that it stands for. */
export interface ActiveAccessKey extends ActivePrincipal<UserRecord> {
  readonly record: AccessKeyRecord
}

/** The id is that of another principal's access key. */
export class AccessKeyTaken extends Error {
  override readonly name = 'AccessKeyTaken'
}

export interface AccessKeysOptions {
  readonly tenants: TenantRepository
  readonly tenantKeys: TenantKeys
  readonly clock: Clock
  /** Milliseconds for which what was read may be used again; 0 = read every time. */
  readonly cacheMs: number
}

export interface IssuedAccessKey {
  readonly accessKeyId: AccessKeyId
  readonly secretAccessKey: string
}

export class AccessKeys {
  readonly #tenants: TenantRepository
  readonly #tenantKeys: TenantKeys
  readonly #clock: Clock
  readonly #records: ReadCache<AccessKeyRecord | null>
  readonly #principals: ReadCache<PrincipalRecord | null>
  readonly #accounts: ReadCache<TenantRecord | null>
  readonly #policies: ReadCache<PolicyDocument | null>

  constructor({ tenants, tenantKeys, clock, cacheMs }: AccessKeysOptions) {
    const cache = { maxEntries: MAX_ENTRIES, maxAgeMs: cacheMs, clock }
    this.#tenants = tenants
    this.#tenantKeys = tenantKeys
    this.#clock = clock
    this.#records = new ReadCache(cache)
    this.#principals = new ReadCache(cache)
    this.#accounts = new ReadCache(cache)
    this.#policies = new ReadCache(cache)
  }

  /**
   * @returns the access key, or `null` when there is none, when it or its tenant is not active, or
   *   when its principal is gone; a caller learns no more
   */
  async find(id: AccessKeyId): Promise<ActiveAccessKey | null> {
    const record = await this.#records.get(id, () => this.#tenants.accessKey(id))
    if (record?.status !== 'Active') return null
    const found = await this.principal(record.account, record.principalId)
    if (found?.principal.kind !== 'User') return null
    return { ...found, record, principal: found.principal }
  }

  /** @returns the user or role, or `null` when it is gone or its tenant is not active */
  async principal(account: AccountId, principalId: PrincipalId): Promise<ActivePrincipal | null> {
    const [principal, tenant] = await Promise.all([
      this.#principals.get(`${account}/${principalId}`, () =>
        this.#tenants.principal(account, principalId),
      ),
      this.#accounts.get(account, () => this.#tenants.get(account)),
    ])
    if (principal === null || tenant?.status !== 'Active') return null
    const operator = tenant.kind === 'operator'
    const { quotas } = tenant
    const { boundary, attached } = principal
    if (boundary === null && attached.length === 0) {
      return { principal, policies: principal.policies, boundary: null, operator, quotas }
    }
    const managed = await Promise.all(attached.map((arn) => this.policy(account, arn)))
    return {
      principal,
      policies: [...principal.policies, ...managed.filter((policy) => policy !== null)],
      // Who is limited by a policy that is not there any more may do nothing.
      boundary: boundary === null ? null : ((await this.policy(account, boundary)) ?? NOTHING),
      operator,
      quotas,
    }
  }

  /** @returns the managed policy as it is in force; `null` when the account has none of that ARN */
  policy(account: AccountId, arn: string): Promise<PolicyDocument | null> {
    return this.#policies.get(`${account}/${arn}`, () => policyInForce(arn, account, this.#tenants))
  }

  /** To be called when a managed policy was changed. */
  forgetPolicy(account: AccountId, arn: string): void {
    this.#policies.forget(`${account}/${arn}`)
  }

  /**
   * Makes an access key for a principal, or replaces the secret of one that it has.
   *
   * @param given - what to use instead of a new id, a new secret
   * @returns the only copy of the secret that is not wrapped
   * @throws AccessKeyTaken when the given id is an access key of somebody else
   */
  async issue(
    account: AccountId,
    principalId: PrincipalId,
    given: { readonly accessKeyId?: AccessKeyId; readonly secret?: string } = {},
  ): Promise<IssuedAccessKey> {
    const accessKeyId = given.accessKeyId ?? newAccessKeyId()
    const secretAccessKey = given.secret ?? freshBytes(SECRET_LENGTH).toString('base64')
    const existing = await this.#tenants.accessKey(accessKeyId)
    if (existing !== null && !isOf(existing, account, principalId)) {
      throw new AccessKeyTaken(`${accessKeyId} is an access key of another principal.`)
    }
    const tenantKey = await this.#tenantKeys.current(account)
    const identity = { accessKeyId, account, principalId, tenantKeyVersion: tenantKey.version }
    const secret = Buffer.from(secretAccessKey)
    const wrappedSecret = seal(tenantKey.purpose('access-key'), LABEL, secret, aad(identity))
    secret.fill(0)
    await this.#tenants.putAccessKey({
      ...identity,
      status: 'Active',
      wrappedSecret,
      createdAt: this.#clock.now(),
      rev: (existing?.rev ?? 0) + 1,
    })
    this.forget(accessKeyId)
    return { accessKeyId, secretAccessKey }
  }

  /**
   * @returns the secret, which the caller wipes
   * @throws Error when it does not open: the record was altered, or belongs to another access key
   */
  async reveal(record: AccessKeyRecord): Promise<Buffer> {
    const tenantKey = await this.#tenantKeys.version(record.account, record.tenantKeyVersion)
    const sealed = record.wrappedSecret
    const secret = open(tenantKey.purpose('access-key'), LABEL, sealed, aad(record))
    if (secret === null) throw new Error(`The secret of ${record.accessKeyId} does not open.`)
    return secret
  }

  /** Whether there is such a tenant and it is active; as old as what is cached may be. */
  async isActive(account: AccountId): Promise<boolean> {
    const tenant = await this.#accounts.get(account, () => this.#tenants.get(account))
    return tenant?.status === 'Active'
  }

  /** To be called when an access key was changed. */
  forget(id: AccessKeyId): void {
    this.#records.forget(id)
  }

  /** To be called when a principal, or its policies, were changed. */
  forgetPrincipal(account: AccountId, principalId: PrincipalId): void {
    this.#principals.forget(`${account}/${principalId}`)
  }

  /** To be called when a tenant was made, suspended or restored. */
  forgetTenant(account: AccountId): void {
    this.#accounts.forget(account)
  }
}

const isOf = (record: AccessKeyRecord, account: AccountId, principalId: PrincipalId): boolean =>
  record.account === account && record.principalId === principalId

/** A wrapped secret opens only where it was put: not under another id, for another principal or in another tenant. */
const aad = (
  identity: Pick<AccessKeyRecord, 'accessKeyId' | 'account' | 'principalId' | 'tenantKeyVersion'>,
): Buffer =>
  encodeFields(
    'keyhold access key v1',
    PARTITION,
    identity.accessKeyId,
    identity.account,
    identity.principalId,
    identity.tenantKeyVersion,
  )
