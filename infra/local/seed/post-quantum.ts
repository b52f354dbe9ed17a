/**
 * Post-quantum private keys of a seed. They are kept as their seed alone, whichever of the forms of
 * RFC 9881 (section 6) and RFC 9935 (section 6) they come in; one without its seed cannot be kept.
 */
import type { KeyObject } from 'node:crypto'
import { element, OCTET_STRING, readElement, SEQUENCE } from '../../../shared/crypto/der.ts'
import { KEY_SPECS, type KeySpec } from '../../../shared/store/records.ts'

/** `[0] IMPLICIT OCTET STRING`: the choice of a seed among the forms. */
const SEED = 0x80

export interface ReadPrivateKey {
  readonly keySpec: KeySpec
  /** As the key spec stores it. */
  readonly material: Buffer
}

/** @returns `null` for a key of another kind, or without its seed */
export function readPostQuantum(key: KeyObject): ReadPrivateKey | null {
  const name = (key.asymmetricKeyType as string).toUpperCase().replaceAll('-', '_')
  const keySpec = KEY_SPECS.find((spec) => spec === name && /^ML_/.test(spec))
  const seed = keySpec === undefined ? null : seedOf(key)
  if (keySpec === undefined || seed === null) return null
  const head = headOf(key)
  const choice = element(SEED, seed)
  const material = element(SEQUENCE, head, element(OCTET_STRING, choice))
  for (const secret of [seed, choice]) secret.fill(0)
  return { keySpec, material }
}

/** The member `priv` of a key as JSON is its seed. */
function seedOf(key: KeyObject): Buffer | null {
  try {
    const { priv } = key.export({ format: 'jwk' })
    return typeof priv === 'string' ? Buffer.from(priv, 'base64url') : null
  } catch {
    return null // Node refuses when there is none
  }
}

/** Version and algorithm, the first two members of PKCS#8. */
function headOf(key: KeyObject): Buffer {
  const der = key.export({ type: 'pkcs8', format: 'der' })
  const whole = readElement(der, 0)
  const version = whole && readElement(der, whole.start)
  const algorithm = version && readElement(der, version.end)
  if (whole === null || algorithm === null) throw new TypeError('Not PKCS#8.')
  const head = Buffer.from(der.subarray(whole.start, algorithm.end))
  der.fill(0)
  return head
}
