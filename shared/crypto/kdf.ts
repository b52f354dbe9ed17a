/**
 * Key derivation in counter mode: NIST SP 800-108r1 §4.1 with HMAC-SHA-256 and a 32-bit counter
 * before the fixed input.
 *
 *   block i      = HMAC-SHA-256(key, [i]32 ‖ fixed input)       i = 1, 2, …
 *   fixed input  = Label ‖ 00 ‖ Context ‖ [L]32                 L: length of the output in bits
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { HMAC_SHA256_LENGTH, hmacSha256 } from './hmac.ts'

const COUNTER_LENGTH = 4
const LENGTH_LENGTH = 4
// Printable ASCII has no zero byte, so the first zero byte ends the label and no label can run over
// into a context.
const LABEL = /^[\x20-\x7e]+$/

/**
 * Derives bytes that serve one purpose, named by the label.
 * @param label - printable ASCII
 * @param context - any bytes that the result shall depend on
 * @param length - of the result, in bytes, at least 1
 * @returns the derived bytes, in an allocation of their own; the caller wipes them
 * @throws RangeError when the label is not printable ASCII or the length does not fit
 */
export function deriveBytes(
  key: KeyObject | Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Buffer {
  if (!LABEL.test(label)) throw new RangeError('A label is printable ASCII.')
  const fixedInput = Buffer.allocUnsafe(label.length + 1 + context.length + LENGTH_LENGTH)
  fixedInput.write(label, 0, 'latin1')
  fixedInput[label.length] = 0
  fixedInput.set(context, label.length + 1)
  fixedInput.writeUInt32BE(length * 8, label.length + 1 + context.length)
  return counterMode(key, fixedInput, length)
}

/**
 * The KDF over fixed input that is already put together, as NIST's vectors give it.
 * @param length - of the result, in bytes, at least 1
 * @throws RangeError when the length is not a positive whole number
 */
export function counterMode(
  key: KeyObject | Uint8Array,
  fixedInput: Uint8Array,
  length: number,
): Buffer {
  if (!Number.isSafeInteger(length) || length < 1) throw new RangeError('Nothing to derive.')
  const prfKey = key instanceof Uint8Array ? createSecretKey(key) : key
  const input = Buffer.allocUnsafe(COUNTER_LENGTH + fixedInput.length)
  input.set(fixedInput, COUNTER_LENGTH)
  const output = Buffer.allocUnsafeSlow(length)
  for (let i = 1, offset = 0; offset < length; i++, offset += HMAC_SHA256_LENGTH) {
    input.writeUInt32BE(i)
    const block = hmacSha256(prfKey, input)
    block.copy(output, offset)
    block.fill(0)
  }
  return output
}
