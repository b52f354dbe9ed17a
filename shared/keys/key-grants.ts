/** The grants of keys: reading those that may help a caller, making and removing them. */
import { createHash } from 'node:crypto'
import type { Caller } from '../authn/caller.ts'
import { ReadCache } from '../cache.ts'
import type { Clock } from '../clock.ts'
import { encodeFields } from '../crypto/encoding.ts'
import { freshBytes } from '../crypto/random.ts'
import { JsonError } from '../errors.ts'
import type { GrantId } from '../ids.ts'
import { GRANT_ID_REST_LENGTH, grantIdOf } from '../store/grant-rows.ts'
import type { GrantConstraints, GrantRecord } from '../store/records.ts'
import { ConditionFailed, type GrantRepository, type KeyName } from '../store/repositories.ts'
import { granteesOf, MAX_GRANTS_PER_KEY } from './grants.ts'

/** What a grant is to be; its id and its date are made here. */
export type NewGrant = Omit<GrantRecord, 'grantId' | 'createdAt' | 'breakGlassUntil'> &
  Partial<Pick<GrantRecord, 'breakGlassUntil'>>

const MAX_CACHED_GRANTEES = 2000
/**
 * How many grants a key has is counted no more often than this, so the limit is not exact: what is
 * made in between comes on top. An exact one would need a transaction for every grant.
 */
const COUNT_MAX_AGE_MS = 60_000

export class KeyGrants {
  readonly #grants: GrantRepository
  readonly #clock: Clock
  readonly #byGrantee: ReadCache<readonly GrantRecord[]>
  readonly #counts: ReadCache<number>

  /** @param options - `cacheMs`: how old a cached read may be; 0 reads the store every time */
  constructor(options: {
    readonly grants: GrantRepository
    readonly clock: Clock
    readonly cacheMs: number
  }) {
    const { grants, clock, cacheMs } = options
    this.#grants = grants
    this.#clock = clock
    this.#byGrantee = new ReadCache({ maxEntries: MAX_CACHED_GRANTEES, maxAgeMs: cacheMs, clock })
    const maxAgeMs = Math.min(cacheMs * 12, COUNT_MAX_AGE_MS)
    this.#counts = new ReadCache({ maxEntries: MAX_CACHED_GRANTEES, maxAgeMs, clock })
  }

  /**
   * The grants on a key whose grantee the caller is, or the caller's account, and that have not ended.
   * @param fresh - reads the store even when the cache has an answer
   */
  async ofCaller(key: KeyName, caller: Caller, fresh: boolean): Promise<readonly GrantRecord[]> {
    const found = await Promise.all(
      granteesOf(caller).map((grantee) => {
        const load = () => this.#grants.ofGrantee(key, grantee)
        return fresh ? load() : this.#byGrantee.get(cacheKey(key, grantee), load)
      }),
    )
    const now = this.#clock.now()
    return found.flat().filter(({ breakGlassUntil }) => (breakGlassUntil ?? now + 1) > now)
  }

  /**
   * Makes a grant. The same grant under the same name is made once: its id follows from what it is,
   * so that racing and repeated requests meet at one row.
   * @returns the grant that is there now
   * @throws JsonError LimitExceededException when the key has as many as it may
   */
  async create(plan: NewGrant): Promise<GrantRecord> {
    const grantId =
      plan.name === null ? grantIdOf(plan, plan.grantee, randomRest()) : namedGrantId(plan)
    const createdAt = this.#clock.now()
    const grant: GrantRecord = { breakGlassUntil: null, ...plan, grantId, createdAt }
    const existing = plan.name === null ? null : await this.#grants.get(plan, grantId)
    if (existing !== null) return existing
    await this.#requireRoom(plan)
    try {
      await this.#grants.create(grant)
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error
    }
    this.#forget(grant)
    return grant
  }

  /** Ends a grant: this environment knows at once, others within the time for which they cache. */
  async remove(grant: GrantRecord): Promise<void> {
    await this.#grants.delete(grant)
    this.#forget(grant)
  }

  async #requireRoom(key: KeyName): Promise<void> {
    const count = await this.#counts.get(cacheKey(key, ''), () => this.#grants.count(key))
    if (count < MAX_GRANTS_PER_KEY) return
    throw new JsonError(
      'LimitExceededException',
      `A KMS key can have no more than ${MAX_GRANTS_PER_KEY} grants.`,
    )
  }

  #forget(grant: GrantRecord): void {
    this.#byGrantee.forget(cacheKey(grant, grant.grantee))
  }
}

const cacheKey = ({ account, region, keyId }: KeyName, grantee: string): string =>
  `${account}#${region}#${keyId}#${grantee}`

const randomRest = (): string => freshBytes(GRANT_ID_REST_LENGTH / 2).toString('hex')

/** The id of a grant with a name: two have the same exactly when all that makes them is the same. */
export const namedGrantId = (plan: NewGrant): GrantId => grantIdOf(plan, plan.grantee, restOf(plan))

function restOf({ name, retiring, issuingAccount, operations, constraints }: NewGrant): string {
  const fields = encodeFields(
    'keyhold grant v1',
    name ?? '',
    retiring ?? '',
    issuingAccount,
    operations.join(),
    ...constraintFields(constraints ?? {}),
  )
  return createHash('sha256').update(fields).digest('hex').slice(0, GRANT_ID_REST_LENGTH)
}

const constraintFields = (constraints: GrantConstraints): string[] => {
  const { encryptionContextEquals: equals, encryptionContextSubset: subset } = constraints
  return [
    constraints.sourceArn ?? '',
    equals === undefined ? '' : JSON.stringify(sorted(equals)),
    subset === undefined ? '' : JSON.stringify(sorted(subset)),
  ]
}

const sorted = (pairs: Readonly<Record<string, string>>): readonly (readonly string[])[] =>
  Object.entries(pairs).toSorted(([one], [other]) => (one < other ? -1 : 1))
