/** Finding keys by any of their names, and changing them. Reads may be cached; changes never are. */
import { ReadCache } from '../cache.ts'
import type { Clock } from '../clock.ts'
import { JsonError } from '../errors.ts'
import { type AccountId, aliasArn, type KeyArn, type KeyId, keyArn, type Region } from '../ids.ts'
import type { AliasRecord, KeyBundle, KeyPolicyRecord, KeyRecord } from '../store/records.ts'
import { type AliasRepository, ConditionFailed, type KeyRepository } from '../store/repositories.ts'
import type { KeyReference } from './key-reference.ts'
import { type KeyState, keyState, requireState, type StateRule } from './key-states.ts'
import { isInItsSet } from './multi-region.ts'

export interface FoundKey {
  readonly bundle: KeyBundle
  readonly key: KeyRecord
  readonly arn: KeyArn
  /** At the moment of the call. */
  readonly state: KeyState
  /** The alias name in the request, when the key was named by one. */
  readonly requestAlias: string | null
}

/** How many times a change is tried again when somebody else changed the same key in between. */
const MAX_ATTEMPTS = 8

export class Keys {
  readonly #keys: KeyRepository
  readonly #aliases: AliasRepository
  readonly #clock: Clock
  readonly #bundles: ReadCache<KeyBundle | null>
  readonly #aliasRecords: ReadCache<AliasRecord | null>

  /** @param options - `cacheMs`: how old a cached read may be; 0 reads the store every time */
  constructor(options: {
    readonly keys: KeyRepository
    readonly aliases: AliasRepository
    readonly clock: Clock
    readonly cacheMs: number
  }) {
    this.#keys = options.keys
    this.#aliases = options.aliases
    this.#clock = options.clock
    const cache = { maxEntries: 10_000, maxAgeMs: options.cacheMs, clock: options.clock }
    this.#bundles = new ReadCache(cache)
    this.#aliasRecords = new ReadCache(cache)
  }

  /**
   * @param fresh - reads the store even when the cache has an answer; for whatever changes something
   * @returns `null` when the account has no such key or alias in the Region
   */
  async find(reference: KeyReference, region: Region, fresh: boolean): Promise<FoundKey | null> {
    const alias = reference.by === 'alias' ? await this.#alias(reference, region, fresh) : null
    if (reference.by === 'alias' && alias === null) return null
    const keyId = reference.by === 'id' ? reference.keyId : (alias as AliasRecord).targetKeyId
    const bundle = await this.get(reference.account, region, keyId, fresh)
    if (bundle === null) return null
    return this.found(bundle, alias?.aliasName ?? null)
  }

  /** @returns what was read of a key, as it is at this moment */
  found(bundle: KeyBundle, requestAlias: string | null = null): FoundKey {
    const { account, region, keyId } = bundle.key
    const state = keyState(bundle, this.#clock.now())
    return { bundle, key: bundle.key, arn: keyArn(region, account, keyId), state, requestAlias }
  }

  /** @returns `null` when there is no such key, or one that no set of multi-Region keys names */
  async get(
    account: AccountId,
    region: Region,
    keyId: KeyId,
    fresh: boolean,
  ): Promise<KeyBundle | null> {
    const load = async (): Promise<KeyBundle | null> => {
      const bundle = await this.#keys.get(account, region, keyId)
      return bundle !== null && isInItsSet(bundle) ? bundle : null
    }
    return fresh ? load() : this.#bundles.get(cacheKey(account, region, keyId), load)
  }

  #alias(
    reference: KeyReference & { by: 'alias' },
    region: Region,
    fresh: boolean,
  ): Promise<AliasRecord | null> {
    const { account, aliasName } = reference
    const load = (): Promise<AliasRecord | null> => this.#aliases.get(account, region, aliasName)
    return fresh ? load() : this.#aliasRecords.get(cacheKey(account, region, aliasName), load)
  }

  /**
   * Changes a key's metadata: one conditional write, tried again from a fresh read when somebody else
   * was faster.
   * @param rule - applied to every fresh read, as it was to the first
   * @param change - gives the changed key; `null` when nothing is to be changed
   * @throws JsonError NotFoundException when the key is gone by now, or the state's error
   */
  async change(
    found: FoundKey,
    rule: StateRule,
    change: (key: KeyRecord, present: FoundKey) => KeyRecord | null,
  ): Promise<KeyRecord> {
    let present = found
    for (let attempt = 1; ; attempt++) {
      const { key, arn, state } = present
      requireState(state, arn, rule)
      const changed = change(key, present)
      if (changed === null) return key
      const next = { ...changed, rev: key.rev + 1 }
      try {
        await this.#keys.update(next, key.rev)
        return next
      } catch (error) {
        if (!(error instanceof ConditionFailed) || attempt === MAX_ATTEMPTS) throw error
        present = await this.reread(found)
      } finally {
        this.forget(key)
      }
    }
  }

  /**
   * Replaces the key policy that the caller was authorized by, and no newer one.
   * @throws ConditionFailed when somebody else was faster: what allowed this change may hold no more
   */
  async putPolicy({ key, bundle: { policy } }: FoundKey, document: string): Promise<void> {
    const next: KeyPolicyRecord = { document, rev: policy.rev + 1 }
    try {
      await this.#keys.putPolicy(key, next, policy.rev)
    } finally {
      this.forget(key)
    }
  }

  /**
   * The key as it is now in the store.
   * @throws JsonError NotFoundException when it is gone by now
   */
  async reread({ key, arn, requestAlias }: FoundKey): Promise<FoundKey> {
    const bundle = await this.get(key.account, key.region, key.keyId, true)
    if (bundle === null) throw keyMissing(arn)
    return this.found(bundle, requestAlias)
  }

  /** Drops what is cached of a key, so that this environment sees its change at once. */
  forget(key: {
    readonly account: AccountId
    readonly region: Region
    readonly keyId: KeyId
  }): void {
    this.#bundles.forget(cacheKey(key.account, key.region, key.keyId))
  }

  forgetAlias(alias: AliasRecord): void {
    this.#aliasRecords.forget(cacheKey(alias.account, alias.region, alias.aliasName))
  }
}

const cacheKey = (account: AccountId, region: Region, name: string): string =>
  `${account}#${region}#${name}`

/** @param arn - of the key that was asked for */
export const keyMissing = (arn: string): JsonError =>
  new JsonError('NotFoundException', `Key '${arn}' does not exist`)

/** The error for a reference that leads to nothing in the caller's own account. */
export function referenceMissing(reference: KeyReference, region: Region): JsonError {
  if (reference.by === 'id') {
    return keyMissing(keyArn(region, reference.account, reference.given as KeyId))
  }
  const arn = aliasArn(region, reference.account, reference.aliasName)
  return new JsonError('NotFoundException', `Alias ${arn} is not found.`)
}
