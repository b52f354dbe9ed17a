import { expect, test } from 'vitest'
import { requireImportWrapping } from '../../../shared/keys/wrapping-algorithms.ts'
import { KEY_SPECS, type KeySpec } from '../../../shared/store/records.ts'

const OAEP = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256']
const KEY_WRAP = ['RSA_AES_KEY_WRAP_SHA_1', 'RSA_AES_KEY_WRAP_SHA_256']
const ALL = ['RSAES_PKCS1_V1_5', ...OAEP, ...KEY_WRAP, 'SM2PKE']
const RSA = ['RSA_2048', 'RSA_3072', 'RSA_4096']

/** The table of the guide: which algorithms, and which wrapping keys OAEP takes. */
const table: readonly [readonly KeySpec[], readonly string[], readonly string[]][] = [
  [['SYMMETRIC_DEFAULT', 'HMAC_224', 'HMAC_256', 'HMAC_384', 'HMAC_512'], OAEP, RSA],
  [['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_SECG_P256K1'], [...OAEP, ...KEY_WRAP], RSA],
  [['ECC_NIST_P521', 'ECC_NIST_EDWARDS25519'], [...OAEP, ...KEY_WRAP], RSA.slice(1)],
  [['RSA_2048', 'RSA_3072', 'RSA_4096'], KEY_WRAP, []],
]

test.for(table.flatMap(([specs, ...rest]) => specs.map((spec) => [spec, ...rest] as const)))(
  '%s is imported as the guide says, and in no other way',
  ([spec, algorithms, oaepKeys]) => {
    const possible: string[] = []
    for (const algorithm of ALL) {
      for (const wrappingKeySpec of [...RSA, 'SM2']) {
        try {
          requireImportWrapping(spec, algorithm, wrappingKeySpec)
          possible.push(`${algorithm} ${wrappingKeySpec}`)
        } catch (error) {
          expect((error as Error).message).toBe(
            `Wrapping algorithm ${algorithm} and wrapping key spec ${wrappingKeySpec} cannot be used to import a ${spec} key.`,
          )
        }
      }
    }
    const expected = algorithms.flatMap((algorithm) =>
      (OAEP.includes(algorithm) ? oaepKeys : RSA).map((key) => `${algorithm} ${key}`),
    )
    expect(possible).toEqual(expected)
  },
)

test('Every spec that can be imported is in the table', () => {
  const known = new Set(table.flatMap(([specs]) => specs))
  const others = KEY_SPECS.filter((spec) => !known.has(spec))
  expect(others.every((spec) => /^(?:ML_|SM2)/.test(spec))).toBe(true)
})
