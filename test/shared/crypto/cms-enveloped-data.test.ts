import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { envelop } from '../../../shared/crypto/cms-enveloped-data.ts'
import { openEnveloped } from '../../support/attestation.ts'

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

test('What was enveloped opens with the private key', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4096 }), (plaintext) => {
      expect(openEnveloped(envelop(publicKey, plaintext), privateKey)).toEqual(
        Buffer.from(plaintext),
      )
    }),
  )
})

test.for([3072, 4096])('Keys of %i bits work too', (modulusLength) => {
  const pair = generateKeyPairSync('rsa', { modulusLength })
  const plaintext = Buffer.from('hello')
  const enveloped = envelop(createPublicKey(pair.privateKey), plaintext)
  expect(openEnveloped(enveloped, pair.privateKey)).toEqual(plaintext)
})

test('No other key opens it', () => {
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  expect(() => openEnveloped(envelop(publicKey, Buffer.from('hello')), other)).toThrow()
})

test('The same plaintext is never enveloped the same way', () => {
  const plaintext = Buffer.alloc(64)
  const made = Array.from({ length: 20 }, () => envelop(publicKey, plaintext).toString('hex'))
  expect(new Set(made).size).toBe(20)
  expect(new Set(made.map((text) => text.slice(-2 * 90))).size).toBe(20)
})

test('Outer lengths are indefinite, as the library for enclaves reads them', () => {
  const enveloped = envelop(publicKey, Buffer.from('hello'))
  // SEQUENCE, then the object identifier of envelopedData, then [0] and SEQUENCE, then version 2.
  expect(enveloped.subarray(0, 20).toString('hex')).toBe('308006092a864886f70d010703a0803080020102')
  expect(enveloped.subarray(-10)).toEqual(Buffer.alloc(10))
})
