/** X.509 certificates for tests, with whatever is to be wrong about them (RFC 5280). */
import {
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import { element } from '../../shared/crypto/der.ts'

const SEQUENCE = 0x30
const SET = 0x31
const oid = (hex: string) => element(0x06, Buffer.from(hex, 'hex'))
const ECDSA_SHA384 = element(SEQUENCE, oid('2a8648ce3d040303'))

export interface Issued {
  readonly certificate: X509Certificate
  readonly privateKey: KeyObject
  readonly name: string
}

export interface CertificatePlan {
  readonly name: string
  readonly isAuthority?: boolean
  readonly pathLength?: number
  /** First byte of KeyUsage. */
  readonly usage?: number
  readonly from?: Date
  readonly to?: Date
  readonly keyPair?: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
  /** Object identifier of a critical extension that nobody knows. */
  readonly criticalExtension?: string
}

export const p384 = () => generateKeyPairSync('ec', { namedCurve: 'secp384r1' })

const HOUR = 3_600_000
const SIGNING = 0x80
const CERTIFICATE_SIGNING = 0x04

/** @param issuer - `null`: the certificate is its own issuer */
export function issue(plan: CertificatePlan, issuer: Issued | null): Issued {
  const { publicKey, privateKey } = plan.keyPair ?? p384()
  const signed = element(
    SEQUENCE,
    element(0xa0, element(0x02, Buffer.of(2))),
    element(0x02, Buffer.of(1, ...randomBytes(7))),
    ECDSA_SHA384,
    nameOf(issuer?.name ?? plan.name),
    element(
      SEQUENCE,
      time(plan.from ?? new Date(Date.now() - HOUR)),
      time(plan.to ?? new Date(Date.now() + HOUR)),
    ),
    nameOf(plan.name),
    publicKey.export({ type: 'spki', format: 'der' }),
    element(0xa3, element(SEQUENCE, ...extensions(plan))),
  )
  const signature = sign('sha384', signed, issuer?.privateKey ?? privateKey)
  const der = element(SEQUENCE, signed, ECDSA_SHA384, element(0x03, Buffer.of(0), signature))
  return { certificate: new X509Certificate(der), privateKey, name: plan.name }
}

const nameOf = (name: string) =>
  element(
    SEQUENCE,
    element(SET, element(SEQUENCE, oid('550403'), element(0x0c, Buffer.from(name)))),
  )

const time = (date: Date) =>
  element(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]|\.\d+/g, '')}`))

function extensions({
  isAuthority = false,
  pathLength,
  usage,
  criticalExtension,
}: CertificatePlan) {
  const authority = isAuthority ? [element(0x01, Buffer.of(0xff))] : []
  const limit = pathLength === undefined ? [] : [element(0x02, Buffer.of(pathLength))]
  const bits = usage ?? (isAuthority ? CERTIFICATE_SIGNING : SIGNING)
  return [
    critical('551d13', element(SEQUENCE, ...authority, ...limit)),
    critical('551d0f', element(0x03, Buffer.of(0, bits))),
    ...(criticalExtension === undefined ? [] : [critical(criticalExtension, element(0x05))]),
  ]
}

const critical = (id: string, value: Buffer) =>
  element(SEQUENCE, oid(id), element(0x01, Buffer.of(0xff)), element(0x04, value))

export const pemOf = ({ certificate }: Issued): string => certificate.toString()

/** An RSA key pair of a size, and its public half as SubjectPublicKeyInfo. */
export function rsaPair(modulusLength = 2048) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength })
  return { publicKey: publicKey.export({ type: 'spki', format: 'der' }), privateKey }
}
