/**
 * An AES-GCM ciphertext that opens under two keys ("invisible salamanders": Dodis, Grubbs, Ristenpart,
 * Woodage, "Fast Message Franking", CRYPTO 2018). The tag is linear in every block of ciphertext, so one
 * block can be chosen to make the two tags equal. GHASH and its field: NIST SP 800-38D §6.
 */
import { createCipheriv, type KeyObject } from 'node:crypto'

const ONE = 1n << 127n
const REDUCTION = 0xe1n << 120n

/** @param aads - the AAD under either key; equally long */
export function makeTwoKeyCiphertext(
  keys: readonly [KeyObject, KeyObject],
  iv: Buffer,
  aads: readonly [Buffer, Buffer],
): { readonly ciphertext: Buffer; readonly tag: Buffer } {
  const [first, second] = [gcmValues(keys[0], iv), gcmValues(keys[1], iv)]
  const draft = Buffer.alloc(32, 0x5a)
  draft.fill(0, 16)
  const [tag1, tag2] = [tagOf(first, aads[0], draft), tagOf(second, aads[1], draft)]
  // The second of two blocks counts H² in the tag: block · (H₁² ⊕ H₂²) = tag₁ ⊕ tag₂.
  const factor = multiply(first.h, first.h) ^ multiply(second.h, second.h)
  const ciphertext = Buffer.concat([
    draft.subarray(0, 16),
    toBlock(multiply(tag1 ^ tag2, inverse(factor))),
  ])
  return { ciphertext, tag: toBlock(tagOf(first, aads[0], ciphertext)) }
}

function gcmValues(key: KeyObject, iv: Buffer): { readonly h: bigint; readonly mask: bigint } {
  const encryptBlock = (block: Buffer): bigint =>
    toNumber(createCipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(block))
  const counter = Buffer.concat([iv, Buffer.of(0, 0, 0, 1)])
  return { h: encryptBlock(Buffer.alloc(16)), mask: encryptBlock(counter) }
}

function tagOf({ h, mask }: { h: bigint; mask: bigint }, aad: Buffer, ciphertext: Buffer): bigint {
  const lengths = Buffer.alloc(16)
  lengths.writeBigUInt64BE(BigInt(aad.length * 8), 0)
  lengths.writeBigUInt64BE(BigInt(ciphertext.length * 8), 8)
  const blocks = [...blocksOf(aad), ...blocksOf(ciphertext), lengths]
  return blocks.reduce((hash, block) => multiply(hash ^ toNumber(block), h), 0n) ^ mask
}

function* blocksOf(bytes: Buffer): Generator<Buffer> {
  for (let i = 0; i < bytes.length; i += 16) {
    yield Buffer.concat([bytes.subarray(i, i + 16), Buffer.alloc(16)]).subarray(0, 16)
  }
}

function multiply(x: bigint, y: bigint): bigint {
  let [product, v] = [0n, y]
  for (let bit = ONE; bit > 0n; bit >>= 1n) {
    if (x & bit) product ^= v
    v = v & 1n ? (v >> 1n) ^ REDUCTION : v >> 1n
  }
  return product
}

/** x^(2^128 - 2), by Fermat. */
function inverse(x: bigint): bigint {
  let [result, square] = [ONE, x]
  for (let i = 1; i < 128; i++) {
    square = multiply(square, square)
    result = multiply(result, square)
  }
  return result
}

const toNumber = (block: Buffer): bigint => BigInt(`0x${block.toString('hex')}`)
const toBlock = (number: bigint): Buffer =>
  Buffer.from(number.toString(16).padStart(32, '0'), 'hex')
