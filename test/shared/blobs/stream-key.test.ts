import { createSecretKey, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { deriveStreamKey, newSalt } from '../../../shared/blobs/stream-key.ts'

const objectKey = randomBytes(32)
const salt = randomBytes(32)

const secretOf = (...args: Parameters<typeof deriveStreamKey>): string =>
  deriveStreamKey(...args)
    .key.export()
    .toString('hex')

test('the same object key, salt and stream give the same key and commitment', () => {
  expect(secretOf(objectKey, salt, 'v1')).toBe(secretOf(createSecretKey(objectKey), salt, 'v1'))
  const { commitment } = deriveStreamKey(objectKey, salt, 'v1')
  expect(deriveStreamKey(objectKey, salt, 'v1').commitment).toEqual(commitment)
  expect(commitment).toHaveLength(32)
})

test('another object key, salt or stream gives another key and commitment', () => {
  const others = [
    deriveStreamKey(objectKey, salt, 'v1'),
    deriveStreamKey(randomBytes(32), salt, 'v1'),
    deriveStreamKey(objectKey, randomBytes(32), 'v1'),
    deriveStreamKey(objectKey, salt, 'v2'),
  ]
  const values = others.flatMap(({ key, commitment }) => [
    key.export().toString('hex'),
    commitment.toString('hex'),
  ])
  expect(new Set(values).size).toBe(8)
})

test('a salt of another length is refused', () => {
  expect(() => deriveStreamKey(objectKey, salt.subarray(1), 'v1')).toThrow(RangeError)
})

test('every salt is new', () => {
  expect(newSalt()).toHaveLength(32)
  expect(newSalt()).not.toEqual(newSalt())
})
