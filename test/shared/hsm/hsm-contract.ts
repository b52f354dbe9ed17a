import { beforeEach, describe, expect, test } from 'vitest'
import { type Hsm, HsmUnavailable, SealBroken } from '../../../shared/hsm/hsm.ts'

/**
 * What every provider must do.
 * @param open - gives one provider over one root key, and another over another
 */
export function describeHsm(name: string, open: () => Promise<{ hsm: Hsm; other: Hsm }>): void {
  describe(`the ${name} provider`, () => {
    const aad = Buffer.from('tenant 111122223333, version 1')
    let hsm: Hsm
    let other: Hsm
    let keyBytes: Buffer
    let sealed: Uint8Array

    beforeEach(async () => {
      ;({ hsm, other } = await open())
      keyBytes = Buffer.alloc(32, 0x42)
      sealed = await hsm.seal(keyBytes, aad)
    })

    test('opens what it sealed, as often as it is asked', async () => {
      expect(await hsm.open(hsm.rootKeyId, sealed, aad)).toEqual(keyBytes)
      expect(await hsm.open(hsm.rootKeyId, sealed, aad)).toEqual(keyBytes)
    })

    test('gives key bytes in a Buffer of their own', async () => {
      const opened = await hsm.open(hsm.rootKeyId, sealed, aad)
      expect(Buffer.isBuffer(opened)).toBe(true)
      expect(opened.buffer.byteLength).toBe(32)
    })

    test('leaves the bytes that it seals as they are, and does not show them', async () => {
      expect(keyBytes).toEqual(Buffer.alloc(32, 0x42))
      expect(Buffer.from(sealed).includes(keyBytes)).toBe(false)
    })

    test('seals the same key differently each time', async () => {
      expect(await hsm.seal(keyBytes, aad)).not.toEqual(sealed)
    })

    test.each([0, 16, 31, 33, 64])('does not seal %d bytes', async (length) => {
      await expect(hsm.seal(Buffer.alloc(length), aad)).rejects.toThrow(RangeError)
    })

    test('refuses another AAD', async () => {
      const elsewhere = Buffer.from('tenant 444455556666, version 1')
      await expect(hsm.open(hsm.rootKeyId, sealed, elsewhere)).rejects.toThrow(SealBroken)
      await expect(hsm.open(hsm.rootKeyId, sealed, Buffer.alloc(0))).rejects.toThrow(SealBroken)
    })

    test('refuses damaged, cut and missing bytes', async () => {
      const damaged = Buffer.from(sealed)
      damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1
      for (const bytes of [damaged, sealed.subarray(1), sealed.subarray(0, 20), Buffer.alloc(0)]) {
        await expect(hsm.open(hsm.rootKeyId, bytes, aad)).rejects.toThrow(SealBroken)
      }
    })

    test('refuses what another root key sealed, whichever name stands beside it', async () => {
      const foreign = await other.seal(keyBytes, aad)
      expect(other.rootKeyId).not.toBe(hsm.rootKeyId)
      await expect(hsm.open(other.rootKeyId, foreign, aad)).rejects.toThrow(SealBroken)
      await expect(hsm.open(hsm.rootKeyId, foreign, aad)).rejects.toThrow(SealBroken)
      expect(await other.open(other.rootKeyId, foreign, aad)).toEqual(keyBytes)
    })

    test('refuses its own seal under the name of another root key', async () => {
      await expect(hsm.open(other.rootKeyId, sealed, aad)).rejects.toThrow(SealBroken)
    })

    test('says that it cannot be reached once it is closed', async () => {
      await hsm.close()
      await expect(hsm.seal(keyBytes, aad)).rejects.toThrow(HsmUnavailable)
      await expect(hsm.open(hsm.rootKeyId, sealed, aad)).rejects.toThrow(HsmUnavailable)
      await expect(hsm.close()).resolves.toBeUndefined()
    })
  })
}
