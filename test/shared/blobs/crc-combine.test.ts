import fc from 'fast-check'
import { expect, test } from 'vitest'
import { combineCrcs } from '../../../shared/blobs/crc-combine.ts'
import { digestOf } from '../../../shared/blobs/digests.ts'

test.each(['CRC32', 'CRC32C', 'CRC64NVME'] as const)(
  'the %s of joined pieces follows from the CRCs of the pieces',
  (name) => {
    const piece = fc.uint8Array({ maxLength: 300 })
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const known = pieces.map((bytes) => ({
          checksum: digestOf(name, bytes).toString('base64'),
          size: bytes.length,
        }))
        const whole = digestOf(name, Buffer.concat(pieces)).toString('base64')
        expect(combineCrcs(name, known)).toBe(whole)
      }),
    )
  },
)

test('pieces in another order give another CRC', () => {
  const one = { checksum: digestOf('CRC32', Buffer.from('one')).toString('base64'), size: 3 }
  const two = { checksum: digestOf('CRC32', Buffer.from('two')).toString('base64'), size: 3 }
  expect(combineCrcs('CRC32', [one, two])).not.toBe(combineCrcs('CRC32', [two, one]))
})
