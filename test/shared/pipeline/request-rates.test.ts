import { describe, expect, test } from 'vitest'
import { parseRegion, type Region } from '../../../shared/ids.ts'
import { type Charged, requestQuotas } from '../../../shared/pipeline/request-quotas.ts'
import { parseRateDefaults, RequestRates } from '../../../shared/pipeline/request-rates.ts'
import type { KeySpec } from '../../../shared/store/records.ts'
import { ACCOUNT, OTHER_ACCOUNT } from '../../support/audit-records.ts'
import { vectors } from '../../support/vectors.ts'

const PARIS = parseRegion('eu-west-3') as Region
const VIRGINIA = parseRegion('us-east-1') as Region
const alice = { account: ACCOUNT, quotas: {} }

const asked = (name: string, keySpec: KeySpec | null = null, input: object = {}): Charged => ({
  service: 'kms',
  name,
  input,
  keySpec,
})

/** Rates with a clock that stands still until it is moved. */
function givenRates(defaults: 'aws' | 'set' = 'aws') {
  let now = 1_000_000
  const rates = new RequestRates({ clock: { now: () => now }, defaults })
  /** How many requests are taken before one is refused. */
  const taken = (request: Charged, caller: Parameters<RequestRates['charge']>[1] = alice) => {
    for (let count = 0; count < 200_000; count += 1) {
      try {
        if (!rates.charge(request, caller, PARIS)) return 'not charged'
      } catch {
        return count
      }
    }
    return 'not limited'
  }
  return { rates, taken, wait: (ms: number) => (now += ms) }
}

describe("AWS's rates", () => {
  test.each<[Charged, number]>([
    [asked('CreateKey'), 5],
    [asked('DescribeKey'), 2000],
    [asked('GetParametersForImport'), 1],
    [asked('Encrypt', 'SYMMETRIC_DEFAULT'), 10_000],
    [asked('GenerateMac', 'HMAC_256'), 10_000],
    [asked('GenerateRandom'), 10_000],
    [asked('Sign', 'RSA_2048'), 1000],
    [asked('Encrypt', 'RSA_4096'), 1000],
    [asked('DeriveSharedSecret', 'ECC_NIST_P256'), 1000],
    [asked('Sign', 'ML_DSA_65'), 1000],
    [asked('GenerateDataKeyPair', null, { KeyPairSpec: 'RSA_4096' }), 1],
    [asked('GenerateDataKeyPairWithoutPlaintext', null, { KeyPairSpec: 'RSA_2048' }), 20],
    [{ ...asked('LookupEvents'), service: 'cloudtrail' }, 2],
  ])('%j: %i a second', (request, rate) => {
    expect(givenRates().taken(request)).toBe(rate)
  })

  test('are higher for symmetric keys in some Regions', () => {
    const { rates } = givenRates()
    expect(rates.rateOf('kms:Symmetric', alice, VIRGINIA)).toBe(100_000)
    expect(rates.rateOf('kms:RSA', alice, VIRGINIA)).toBe(1000)
  })

  test('are there for every operation of the service', () => {
    const { operations } = vectors<{ operations: Record<string, unknown> }>('kms-members.json')
    const { rates } = givenRates()
    for (const name of Object.keys(operations)) {
      const request = asked(name, 'SYMMETRIC_DEFAULT', { KeyPairSpec: 'RSA_2048' })
      expect([name, rates.charge(request, alice, PARIS)]).toEqual([name, true])
    }
  })

  test('do not hold where only those that are set do', () => {
    expect(givenRates('set').taken(asked('CreateKey'))).toBe('not limited')
  })
})

describe('A rate', () => {
  test('that is set takes the place of the default, also when it is 0', () => {
    for (const defaults of ['aws', 'set'] as const) {
      for (const rate of [0, 1, 7]) {
        const caller = { account: ACCOUNT, quotas: { 'kms:CreateKey': rate } }
        expect(givenRates(defaults).taken(asked('CreateKey'), caller)).toBe(rate)
      }
    }
  })

  test('comes back with time, and never to more than a second of it', () => {
    const { taken, wait } = givenRates()
    expect(taken(asked('CreateKey'))).toBe(5)
    wait(199)
    expect(taken(asked('CreateKey'))).toBe(0)
    wait(1)
    expect(taken(asked('CreateKey'))).toBe(1)
    wait(3_600_000)
    expect(taken(asked('CreateKey'))).toBe(5)
    wait(-3_600_000)
    expect(taken(asked('CreateKey'))).toBe(0)
  })

  test('is counted for each account, Region and quota by itself', () => {
    const { rates, taken } = givenRates()
    expect(taken(asked('CreateKey'))).toBe(5)
    expect(taken(asked('CreateKey'), { account: OTHER_ACCOUNT, quotas: {} })).toBe(5)
    expect(taken(asked('CreateAlias'))).toBe(5)
    expect(rates.charge(asked('CreateKey'), alice, VIRGINIA)).toBe(true)
  })

  test('of a kind of key is shared by what is done with such keys', () => {
    const { taken } = givenRates()
    expect(taken(asked('Sign', 'RSA_2048'))).toBe(1000)
    expect(taken(asked('Decrypt', 'RSA_3072'))).toBe(0)
    expect(taken(asked('Decrypt', 'SYMMETRIC_DEFAULT'))).toBe(10_000)
  })

  test('of a kind of key is not charged before the key is known', () => {
    expect(givenRates().taken(asked('Decrypt'))).toBe('not charged')
  })
})

test("the refusal is AWS's", () => {
  const { rates, taken } = givenRates()
  taken(asked('CreateKey'))
  expect(() => rates.charge(asked('CreateKey'), alice, PARIS)).toThrow(
    'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
  )
})

test('names of quotas are listed in order, each once', () => {
  expect(requestQuotas).toEqual([...new Set(requestQuotas)].sort())
  expect(requestQuotas).toContain('kms:CreateKey')
})

test('the setting is aws or set, and set when nothing is said', () => {
  expect([undefined, '', 'set', 'aws'].map(parseRateDefaults)).toEqual(['set', 'set', 'set', 'aws'])
  expect(() => parseRateDefaults('AWS')).toThrow(RangeError)
})
