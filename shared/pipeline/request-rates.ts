/**
 * Counts what each account asks for, and refuses what goes beyond its rate: one token bucket for each
 * account, Region and quota, in this process. Nothing is shared between processes, so that counting
 * costs no call a round trip, and no failure elsewhere makes it let everything through.
 */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { JsonError } from '../errors.ts'
import type { AccountId, Region } from '../ids.ts'
import { awsRate, type Charged, requestQuotaOf } from './request-quotas.ts'

/** `aws`: AWS's rates, unless an operator set others for the tenant. `set`: only what an operator set. */
export type RateDefaults = 'aws' | 'set'

/** @throws RangeError naming the setting */
export function parseRateDefaults(text: string | undefined): RateDefaults {
  if (text === undefined || text === '' || text === 'set') return 'set'
  if (text === 'aws') return 'aws'
  throw new RangeError("KEYHOLD_REQUEST_RATES must be 'aws' or 'set'.")
}

/** Whose requests are counted. */
export interface RatedAccount {
  readonly account: AccountId
  /** Requests a second, by quota, that an operator set. */
  readonly quotas: Readonly<Record<string, number>>
}

interface Bucket {
  tokens: number
  at: number
}

const MAX_BUCKETS = 50_000

/** AWS KMS Developer Guide, "Throttling AWS KMS requests". */
export const THROTTLED_TEXT =
  'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.'

export class RequestRates {
  readonly #clock: Clock
  readonly #defaults: RateDefaults
  readonly #buckets = new LRUCache<string, Bucket>({ max: MAX_BUCKETS })

  /** @param clock - what time it really is: calls take real time, whatever the time of the keys */
  constructor({ clock, defaults }: { readonly clock: Clock; readonly defaults: RateDefaults }) {
    this.#clock = clock
    this.#defaults = defaults
  }

  /** @returns requests a second; `null` when nothing limits them */
  rateOf(quota: string, { quotas }: Pick<RatedAccount, 'quotas'>, region: Region): number | null {
    if (Object.hasOwn(quotas, quota)) return quotas[quota] ?? null
    return this.#defaults === 'aws' ? awsRate(quota, region) : null
  }

  /**
   * Charges a request to its caller's account.
   * @returns whether its quota could be told; otherwise nothing is charged
   * @throws JsonError ThrottlingException
   */
  charge(request: Charged, caller: RatedAccount, region: Region): boolean {
    const quota = requestQuotaOf(request)
    if (quota === null) return false
    const rate = this.rateOf(quota, caller, region)
    if (rate === null || this.#take(`${caller.account}/${region}/${quota}`, rate)) return true
    throw new JsonError(
      'ThrottlingException',
      request.service === 'kms' ? THROTTLED_TEXT : 'Rate exceeded',
    )
  }

  /** A bucket holds what one second allows. */
  #take(name: string, rate: number): boolean {
    const now = this.#clock.now()
    const bucket = this.#buckets.get(name)
    if (bucket === undefined) {
      this.#buckets.set(name, { tokens: rate - 1, at: now })
      return rate > 0
    }
    const passed = Math.max(0, now - bucket.at) // a clock set back gives nothing
    bucket.tokens = Math.min(rate, bucket.tokens + (passed * rate) / 1000)
    bucket.at = now
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    return true
  }
}
