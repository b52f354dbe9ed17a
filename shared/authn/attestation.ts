/**
 * Attestation documents of AWS Nitro Enclaves and NitroTPM: who an enclave is, signed by the platform
 * that it runs on (AWS, "Nitro Enclaves Attestation Process"; Amazon EC2 User Guide, "Validate a
 * NitroTPM Attestation Document"). A COSE_Sign1 message whose payload is a CBOR map:
 *
 *   module_id text · digest "SHA384" · timestamp ms · pcrs or nitrotpm_pcrs { index: 48 bytes } ·
 *   certificate DER · cabundle [ DER, the root first ] · public_key DER · user_data · nonce
 */
import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readCbor } from '../crypto/cbor.ts'
import { type PathProblem, pathProblem } from '../crypto/certificate-path.ts'
import { parseCoseSign1, verifyCoseSign1 } from '../crypto/cose-sign1.ts'

export interface Attestation {
  readonly moduleId: string
  readonly platform: 'enclave' | 'nitroTpm'
  /** Platform configuration registers by number, 48 bytes each. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>
  /** RSA, of 2048 to 4096 bits: the enclave alone has the private half. */
  readonly publicKey: KeyObject
}

/** The document is not what it must be; `message` says which check it did not pass, and nothing of what it holds. */
export class AttestationRefused extends Error {
  override readonly name = 'AttestationRefused'
}

/** AWS KMS takes documents that are at most this old. */
const MAX_AGE_MS = 5 * 60 * 1000
/** How far the clock of the platform may be ahead. */
const MAX_AHEAD_MS = 60 * 1000
const MAX_PAYLOAD_LENGTH = 16_384
const MAX_CERTIFICATE_LENGTH = 1024
const MAX_CA_BUNDLE_LENGTH = 10
const MAX_PUBLIC_KEY_LENGTH = 1024
const MAX_EXTRA_LENGTH = 1024
const MAX_PCRS = 32
const PCR_LENGTH = 48 // SHA-384

/**
 * @param document - as it came from the enclave
 * @param roots - certificates of the platforms that are trusted
 * @param now - the real time, in milliseconds since the epoch
 * @throws AttestationRefused
 */
export async function verifyAttestation(
  document: Uint8Array,
  roots: readonly X509Certificate[],
  now: number,
): Promise<Attestation> {
  const message = await parseCoseSign1(document)
  if (message === null) throw refused('it is not a COSE_Sign1 message with algorithm ES384')
  if (message.payload.length > MAX_PAYLOAD_LENGTH) throw refused('its payload is too long')
  const claims = requireClaims(await readCbor(message.payload))
  const [certificate, ...authorities] = readCertificates(claims)
  const problem = pathProblem([certificate, ...authorities], roots, now)
  if (problem !== null) throw refused(pathTexts[problem])
  if (!verifyCoseSign1(message, certificate.publicKey)) {
    throw refused('its signature is not that of its certificate')
  }
  requireFresh(claims.timestamp, now)
  const { moduleId, platform, pcrs } = claims
  return { moduleId, platform, pcrs, publicKey: requirePublicKey(claims.publicKey) }
}

const pathTexts: Readonly<Record<PathProblem, string>> = {
  root: 'its certificates do not lead to a root that is trusted here',
  validity: 'one of its certificates is not valid at this time',
  issuer: 'one of its certificates was not issued by the next',
  authority: 'one of its certificates was issued by one that may not issue it',
  usage: 'one of its certificates is for another use',
}

interface Claims extends Omit<Attestation, 'publicKey'> {
  readonly timestamp: number
  readonly certificate: Uint8Array
  /** The root first. */
  readonly caBundle: readonly Uint8Array[]
  readonly publicKey: Uint8Array | null
}

function requireClaims(payload: unknown): Claims {
  if (!(payload instanceof Map)) throw refused('its payload is not a map')
  const claim = (name: string): unknown => payload.get(name) ?? null
  const moduleId = claim('module_id')
  if (typeof moduleId !== 'string' || moduleId === '') throw malformed('module_id')
  if (claim('digest') !== 'SHA384') throw malformed('digest')
  const timestamp = claim('timestamp')
  if (!Number.isSafeInteger(timestamp) || Number(timestamp) <= 0) throw malformed('timestamp')
  for (const name of ['user_data', 'nonce']) {
    if (claim(name) !== null) requireBytes(claim(name), name, 0, MAX_EXTRA_LENGTH)
  }
  const publicKey = claim('public_key')
  return {
    moduleId,
    timestamp: Number(timestamp),
    ...requireRegisters(claim('pcrs'), claim('nitrotpm_pcrs')),
    certificate: requireBytes(claim('certificate'), 'certificate', 1, MAX_CERTIFICATE_LENGTH),
    caBundle: requireBundle(claim('cabundle')),
    publicKey:
      publicKey === null ? null : requireBytes(publicKey, 'public_key', 1, MAX_PUBLIC_KEY_LENGTH),
  }
}

/** A document has the registers of one platform. */
function requireRegisters(pcrs: unknown, nitroTpmPcrs: unknown): Pick<Claims, 'platform' | 'pcrs'> {
  if (pcrs !== null && nitroTpmPcrs !== null) throw malformed('nitrotpm_pcrs')
  return nitroTpmPcrs === null
    ? { platform: 'enclave', pcrs: requirePcrs(pcrs, 'pcrs') }
    : { platform: 'nitroTpm', pcrs: requirePcrs(nitroTpmPcrs, 'nitrotpm_pcrs') }
}

function requirePcrs(value: unknown, name: string): ReadonlyMap<number, Uint8Array> {
  if (!(value instanceof Map) || value.size === 0 || value.size > MAX_PCRS) throw malformed(name)
  for (const [index, register] of value) {
    if (!Number.isInteger(index) || index < 0 || index >= MAX_PCRS) throw malformed(name)
    requireBytes(register, name, PCR_LENGTH, PCR_LENGTH)
  }
  return value as ReadonlyMap<number, Uint8Array>
}

function requireBundle(value: unknown): readonly Uint8Array[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_CA_BUNDLE_LENGTH) {
    throw malformed('cabundle')
  }
  return value.map((entry) => requireBytes(entry, 'cabundle', 1, MAX_CERTIFICATE_LENGTH))
}

function requireBytes(value: unknown, name: string, min: number, max: number): Uint8Array {
  const fits = value instanceof Uint8Array && value.length >= min && value.length <= max
  if (!fits) throw malformed(name)
  return value
}

/** From the certificate of the document to the root. */
function readCertificates({
  certificate,
  caBundle,
}: Claims): readonly [X509Certificate, ...X509Certificate[]] {
  try {
    const authorities = caBundle.toReversed().map((der) => new X509Certificate(der))
    return [new X509Certificate(certificate), ...authorities]
  } catch {
    throw refused('one of its certificates cannot be read')
  }
}

function requireFresh(timestamp: number, now: number): void {
  if (timestamp < now - MAX_AGE_MS) throw refused('it is older than five minutes')
  if (timestamp > now + MAX_AHEAD_MS) throw refused('it is dated in the future')
}

const MODULUS_BITS = { min: 2048, max: 4096 }

function requirePublicKey(der: Uint8Array | null): KeyObject {
  if (der === null) throw refused('it has no public_key')
  const key = readPublicKey(der)
  const bits = key?.asymmetricKeyType === 'rsa' ? key.asymmetricKeyDetails?.modulusLength : null
  if (key === null || !bits || bits < MODULUS_BITS.min || bits > MODULUS_BITS.max) {
    throw refused('its public_key is not an RSA public key of 2048 to 4096 bits')
  }
  return key
}

function readPublicKey(der: Uint8Array): KeyObject | null {
  try {
    return createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' })
  } catch {
    return null
  }
}

const refused = (why: string): AttestationRefused =>
  new AttestationRefused(`The attestation document is not valid: ${why}.`)

const malformed = (field: string): AttestationRefused =>
  refused(`the field ${field} is missing or malformed`)
