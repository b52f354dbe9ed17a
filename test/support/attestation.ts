/** Enclaves for tests: a root of our own, certificates under it, and documents as they are signed there. */
import { constants, createDecipheriv, type KeyObject, privateDecrypt, sign } from 'node:crypto'
import { Set as Asn1Set, fromBER, ObjectIdentifier, OctetString, Sequence } from 'asn1js'
import { encode } from 'cborg'
import { type Issued, issue, rsaPair } from './certificates.ts'

export interface Enclave {
  readonly root: Issued
  readonly authority: Issued
  readonly leaf: Issued
  /** The enclave's own, whose public half is in its documents. */
  readonly keyPair: ReturnType<typeof rsaPair>
}

export function givenEnclave(differs: Partial<Enclave> = {}): Enclave {
  const root = differs.root ?? issue({ name: 'aws.nitro-enclaves', isAuthority: true }, null)
  const authority = differs.authority ?? issue({ name: 'zonal', isAuthority: true }, root)
  const leaf = differs.leaf ?? issue({ name: 'i-1234.enc' }, authority)
  return { root, authority, leaf, keyPair: differs.keyPair ?? rsaPair() }
}

export type Claims = ReadonlyMap<string, unknown>

/** A register of the enclave: 48 times its number, and something. */
export const pcr = (index: number): Buffer => Buffer.alloc(48, index + 0xa0)

/** The claims of a document that is valid, but for what differs; `undefined` leaves a claim out. */
export function claimsOf(
  { root, authority, leaf, keyPair }: Enclave,
  differs: Readonly<Record<string, unknown>> = {},
): Claims {
  const claims = {
    module_id: 'i-0123456789abcdef0-enc0123456789abcdef',
    digest: 'SHA384',
    timestamp: Date.now(),
    pcrs: new Map([0, 1, 2, 3, 4, 8].map((index) => [index, pcr(index)])),
    certificate: leaf.certificate.raw,
    cabundle: [root.certificate.raw, authority.certificate.raw],
    public_key: keyPair.publicKey,
    user_data: null,
    nonce: null,
    ...differs,
  }
  return new Map(Object.entries(claims).filter(([, value]) => value !== undefined))
}

export interface Signing {
  readonly key?: KeyObject
  readonly protectedHeader?: Uint8Array
  readonly tagged?: boolean
}

const ES384 = encode(new Map([[1, -35]]))

/** COSE_Sign1 over a payload (RFC 9052, section 4.4). */
export function signedDocument(
  enclave: Enclave,
  payload: Uint8Array,
  { key = enclave.leaf.privateKey, protectedHeader = ES384, tagged = false }: Signing = {},
): Buffer {
  const covered = encode(['Signature1', protectedHeader, new Uint8Array(), payload])
  const signature = sign('sha384', covered, { key, dsaEncoding: 'ieee-p1363' })
  const message = encode([protectedHeader, new Map(), payload, new Uint8Array(signature)])
  return Buffer.concat([Buffer.from(tagged ? [0xd2] : []), message])
}

/** A document that is valid, but for the claims that differ. */
export const documentOf = (
  enclave: Enclave,
  differs: Readonly<Record<string, unknown>> = {},
  signing: Signing = {},
): Buffer => signedDocument(enclave, encode(claimsOf(enclave, differs)), signing)

/** What an enclave does with CiphertextForRecipient, over a library that knows nothing of ours. */
export function openEnveloped(enveloped: Uint8Array, key: KeyObject): Buffer {
  const { result, offset } = fromBER(Buffer.from(enveloped))
  if (offset !== enveloped.length) throw new Error('There is more than one element.')
  const [type, content] = itemsOf(result)
  const [, recipients, encrypted] = itemsOf(itemsOf(content)[0])
  const [recipient] = itemsOf(recipients)
  const [, , algorithm, encryptedKey] = itemsOf(recipient)
  const [, cipher, parts] = itemsOf(encrypted)
  const [cipherName, iv] = itemsOf(cipher)
  const [algorithmName] = itemsOf(algorithm)
  const names = [type, algorithmName, cipherName].map((each) =>
    each instanceof ObjectIdentifier ? each.valueBlock.toString() : '',
  )
  const expected = ['1.2.840.113549.1.7.3', '1.2.840.113549.1.1.7', '2.16.840.1.101.3.4.1.42']
  if (names.join() !== expected.join()) throw new Error(`Unexpected: ${names.join()}`)
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  const contentKey = privateDecrypt({ key, padding, oaepHash: 'sha256' }, bytesOf(encryptedKey))
  const decipher = createDecipheriv('aes-256-cbc', contentKey, bytesOf(iv))
  const ciphertext = Buffer.concat(itemsOf(parts).map(bytesOf))
  return Buffer.concat([decipher.update(ciphertext), decipher.final()])
}

function itemsOf(block: unknown): readonly unknown[] {
  if (block instanceof Sequence || block instanceof Asn1Set) return block.valueBlock.value
  const { valueBlock } = (block ?? {}) as { valueBlock?: { value?: unknown } }
  if (!Array.isArray(valueBlock?.value)) throw new Error('Not constructed.')
  return valueBlock.value
}

function bytesOf(block: unknown): Buffer {
  if (!(block instanceof OctetString)) throw new Error('Not an OCTET STRING.')
  return Buffer.from(block.valueBlock.valueHexView)
}
