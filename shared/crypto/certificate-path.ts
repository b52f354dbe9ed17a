/**
 * Whether a certificate leads to a root that is trusted: the part of RFC 5280, section 6.1, that short
 * chains of one purpose need. No names are matched and no revocation is asked for.
 */
import type { X509Certificate } from 'node:crypto'
import { OBJECT_IDENTIFIER, OCTET_STRING, readElement, SEQUENCE } from './der.ts'

const BOOLEAN = 0x01
const BIT_STRING = 0x03
const INTEGER = 0x02
/** `[3] EXPLICIT Extensions` of a TBSCertificate. */
const EXTENSIONS = 0xa3

const BASIC_CONSTRAINTS = '551d13'
const KEY_USAGE = '551d0f'
const UNDERSTOOD: ReadonlySet<string> = new Set([BASIC_CONSTRAINTS, KEY_USAGE])
/** Bits of the first byte of KeyUsage (RFC 5280, section 4.2.1.3). */
const DIGITAL_SIGNATURE = 0x80
const CERTIFICATE_SIGNING = 0x04

/** Which check a path does not pass. */
export type PathProblem = 'root' | 'validity' | 'issuer' | 'authority' | 'usage'

/**
 * @param path - from the certificate in question to the root, each issued by the next
 * @param roots - those that are trusted
 * @param now - milliseconds since the epoch
 * @returns `null` when the path holds
 */
export function pathProblem(
  path: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  now: number,
): PathProblem | null {
  const root = path.at(-1)
  if (root === undefined || !roots.some(({ raw }) => raw.equals(root.raw))) return 'root'
  if (!path.every((certificate) => isValidAt(certificate, now))) return 'validity'
  for (const [index, certificate] of path.entries()) {
    const issuer = path[index + 1]
    if (issuer !== undefined && !isIssuedBy(certificate, issuer)) return 'issuer'
    const extensions = readExtensions(certificate.raw)
    if (extensions === null || !isUnderstood(extensions)) return 'usage'
    if (index > 0 && !isAuthority(certificate, extensions, index - 1)) return 'authority'
    if (!allowsUsage(extensions, index === 0 ? DIGITAL_SIGNATURE : CERTIFICATE_SIGNING)) {
      return 'usage'
    }
  }
  return null
}

const isValidAt = ({ validFromDate, validToDate }: X509Certificate, now: number): boolean =>
  validFromDate.getTime() <= now && now <= validToDate.getTime()

const isIssuedBy = (certificate: X509Certificate, issuer: X509Certificate): boolean =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)

interface Extension {
  readonly isCritical: boolean
  readonly value: Uint8Array
}

/** By object identifier, in hex. */
type Extensions = ReadonlyMap<string, Extension>

const isUnderstood = (extensions: Extensions): boolean =>
  [...extensions].every(([oid, { isCritical }]) => !isCritical || UNDERSTOOD.has(oid))

/** @param below - how many authorities there are between this one and the certificate in question */
function isAuthority({ ca }: X509Certificate, extensions: Extensions, below: number): boolean {
  const value = extensions.get(BASIC_CONSTRAINTS)?.value
  if (!ca || value === undefined) return false
  const longest = pathLength(value)
  return longest === null || below <= longest
}

/** SEQUENCE { cA BOOLEAN, pathLenConstraint INTEGER OPTIONAL } with cA true. @returns `null`: no limit */
function pathLength(value: Uint8Array): number | null {
  const whole = readElement(value, 0)
  const authority = whole && readElement(value, whole.start)
  const limit = authority?.tag === BOOLEAN ? readElement(value, authority.end) : null
  if (limit?.tag !== INTEGER) return null
  return limit.end - limit.start === 1 ? (value[limit.start] ?? 0) : 0
}

/** A certificate that does not say what its key is for may be used for anything. */
function allowsUsage(extensions: Extensions, usage: number): boolean {
  const value = extensions.get(KEY_USAGE)?.value
  if (value === undefined) return true
  const bits = readElement(value, 0)
  return bits?.tag === BIT_STRING && ((value[bits.start + 1] ?? 0) & usage) !== 0
}

/** @returns `null` when an extension is there twice, or the certificate is not read as DER */
function readExtensions(certificate: Uint8Array): Extensions | null {
  const list = extensionList(certificate)
  const extensions = new Map<string, Extension>()
  if (list === null) return extensions
  for (let at = list.start; at < list.end; ) {
    const item = readElement(certificate, at)
    const oid = item?.tag === SEQUENCE ? readElement(certificate, item.start) : null
    const next = oid?.tag === OBJECT_IDENTIFIER ? readElement(certificate, oid.end) : null
    if (item === null || oid === null || next === null) return null
    const isCritical = next.tag === BOOLEAN && certificate[next.start] !== 0
    const octets = next.tag === BOOLEAN ? readElement(certificate, next.end) : next
    const name = Buffer.from(certificate.subarray(oid.start, oid.end)).toString('hex')
    if (octets?.tag !== OCTET_STRING || extensions.has(name)) return null
    const value = certificate.subarray(octets.start, octets.end)
    extensions.set(name, { isCritical, value })
    at = item.end
  }
  return extensions
}

/** Certificate { TBSCertificate { …, [3] { SEQUENCE OF Extension } }, … } */
function extensionList(certificate: Uint8Array) {
  const whole = readElement(certificate, 0)
  const signed = whole && readElement(certificate, whole.start)
  if (signed === null) return null
  for (let at = signed.start; at < signed.end; ) {
    const field = readElement(certificate, at)
    if (field === null) return null
    if (field.tag === EXTENSIONS) return readElement(certificate, field.start)
    at = field.end
  }
  return null
}
