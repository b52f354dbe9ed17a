import { AwsCrc32c } from '@aws-crypto/crc32c'
import { Crc64Nvme } from '@aws-sdk/crc64-nvme'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  compositeChecksum,
  compositeEtag,
  digestNames,
  digestOf,
  PlaintextDigests,
} from '../../../shared/blobs/digests.ts'

// The CRC check values are those of the CRC RevEng catalogue; the hashes are RFC 1321's and
// FIPS 180's for "abc".
test.each([
  ['CRC32', '123456789', 'cbf43926'],
  ['CRC32C', '123456789', 'e3069283'],
  ['CRC64NVME', '123456789', 'ae8b14860a799888'],
  ['MD5', 'abc', '900150983cd24fb0d6963f7d28e17f72'],
  ['SHA1', 'abc', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
  ['SHA256', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
] as const)('%s of %j is %s', (name, text, expected) => {
  expect(digestOf(name, Buffer.from(text)).toString('hex')).toBe(expected)
})

// RFC 3720 appendix B.4.
test.each([
  [Buffer.alloc(32), '8a9136aa'],
  [Buffer.alloc(32, 0xff), '62a8ab43'],
  [Buffer.from(Array.from({ length: 32 }, (_, i) => i)), '46dd794e'],
  [Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), '113fdb5c'],
])('CRC32C agrees with the examples of iSCSI: %#', (bytes, expected) => {
  expect(digestOf('CRC32C', bytes).toString('hex')).toBe(expected)
})

/** Bytes that begin at any address, since the CRCs read whole words where they can. */
const anywhere = fc
  .tuple(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 8 }))
  .map(([bytes, offset]) => Buffer.from(bytes).subarray(offset))

test('CRC32C and CRC64NVME agree with the SDK’s own', async () => {
  await fc.assert(
    fc.asyncProperty(anywhere, async (bytes) => {
      const crc32c = new AwsCrc32c()
      crc32c.update(bytes)
      expect(digestOf('CRC32C', bytes)).toEqual(Buffer.from(await crc32c.digest()))
      const crc64 = new Crc64Nvme()
      crc64.update(bytes)
      expect(digestOf('CRC64NVME', bytes)).toEqual(Buffer.from(await crc64.digest()))
    }),
  )
})

test.each(digestNames)('%s does not depend on how the bytes are cut', (name) => {
  fc.assert(
    fc.property(fc.array(anywhere, { maxLength: 8 }), (chunks) => {
      const digests = new PlaintextDigests([name])
      for (const chunk of chunks) digests.update(chunk)
      const whole = digestOf(name, Buffer.concat(chunks))
      expect(digests.base64(name)).toBe(whole.toString('base64'))
      expect(digests.hex(name)).toBe(whole.toString('hex'))
    }),
  )
})

test('what was not asked for is not computed', () => {
  const digests = new PlaintextDigests(['MD5'])
  expect(digests.base64('SHA256')).toBeNull()
  expect(digests.hex('MD5')).toBe('d41d8cd98f00b204e9800998ecf8427e')
})

test('a composite is the digest of the parts’ digests, with their number', () => {
  const parts = [Buffer.from('one'), Buffer.from('two')]
  const digests = parts.map((part) => digestOf('SHA256', part))
  const expected = digestOf('SHA256', Buffer.concat(digests)).toString('base64')
  const given = digests.map((digest) => digest.toString('base64'))
  expect(compositeChecksum('SHA256', given)).toBe(`${expected}-2`)
  const md5s = parts.map((part) => digestOf('MD5', part))
  const etag = digestOf('MD5', Buffer.concat(md5s)).toString('hex')
  expect(compositeEtag(md5s.map((md5) => md5.toString('hex')))).toBe(`${etag}-2`)
})
