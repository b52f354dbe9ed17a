/**
 * CMS EnvelopedData for one recipient (RFC 5652, section 6), as AWS KMS writes it for enclaves:
 *
 * ```
 * ContentInfo* { envelopedData, [0]* EnvelopedData* {
 *   2,
 *   SET { KeyTransRecipientInfo { 2, [0] subjectKeyIdentifier, RSAES-OAEP, OCTET STRING } },
 *   EncryptedContentInfo* { data, { aes256-CBC, IV }, [0]* { OCTET STRING } } } }
 * ```
 *
 * What is starred has an indefinite length, closed by 00 00 (X.690, section 8.1.3.6): AWS's library for
 * enclaves reads these from the stream and expects nothing else there.
 */
import {
  constants,
  createCipheriv,
  createHash,
  createSecretKey,
  type KeyObject,
  publicEncrypt,
} from 'node:crypto'
import {
  BIT_STRING,
  CONTEXT_0,
  CONTEXT_1,
  element,
  OBJECT_IDENTIFIER,
  OCTET_STRING,
  readElement,
  SEQUENCE,
} from './der.ts'
import { freshBytes } from './random.ts'

const KEY_LENGTH = 32
const BLOCK_LENGTH = 16
const SET = 0x31
/** `[0] IMPLICIT OCTET STRING`. */
const SUBJECT_KEY_IDENTIFIER = 0x80
const SUBJECT_KEY_IDENTIFIER_LENGTH = 20

const oid = (hex: string): Buffer => element(OBJECT_IDENTIFIER, Buffer.from(hex, 'hex'))
const NULL = Buffer.of(0x05, 0)
const VERSION_2 = Buffer.of(0x02, 1, 2)
const ENVELOPED_DATA = '2a864886f70d010703'
const DATA = '2a864886f70d010701'
const AES_256_CBC = '60864801650304012a'
const RSAES_OAEP = '2a864886f70d010107'
const MGF1 = '2a864886f70d010108'
const SHA_256 = '608648016503040201'

/**
 * @param publicKey - RSA
 * @param plaintext - below 64 KiB
 * @returns what `openssl cms -decrypt -inform DER` opens with the private key
 */
export function envelop(publicKey: KeyObject, plaintext: Uint8Array): Buffer {
  const contentKey = freshBytes(KEY_LENGTH)
  try {
    return openEnded(
      SEQUENCE,
      oid(ENVELOPED_DATA),
      openEnded(
        CONTEXT_0,
        openEnded(
          SEQUENCE,
          VERSION_2,
          element(SET, recipientInfo(publicKey, contentKey)),
          encryptedContent(contentKey, plaintext),
        ),
      ),
    )
  } finally {
    contentKey.fill(0)
  }
}

const openEnded = (tag: number, ...content: readonly Uint8Array[]): Buffer =>
  Buffer.concat([Buffer.of(tag, 0x80), ...content, Buffer.of(0, 0)])

function recipientInfo(key: KeyObject, contentKey: Buffer): Buffer {
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  const encrypted = publicEncrypt({ key, padding, oaepHash: 'sha256' }, contentKey)
  return element(
    SEQUENCE,
    VERSION_2,
    element(SUBJECT_KEY_IDENTIFIER, keyIdentifier(key)),
    element(SEQUENCE, oid(RSAES_OAEP), oaepParameters()),
    element(OCTET_STRING, encrypted),
  )
}

/** RSAES-OAEP-params with SHA-256 for the label and for MGF1 (RFC 4055, section 4.1). */
function oaepParameters(): Buffer {
  const sha256 = element(SEQUENCE, oid(SHA_256), NULL)
  const mgf = element(SEQUENCE, oid(MGF1), sha256)
  return element(SEQUENCE, element(CONTEXT_0, sha256), element(CONTEXT_1, mgf))
}

/** RFC 7093, section 2, method 1: the first 160 bits of the SHA-256 of the public key's bits. */
function keyIdentifier(key: KeyObject): Buffer {
  const spki = key.export({ type: 'spki', format: 'der' })
  const whole = readElement(spki, 0)
  const algorithm = whole && readElement(spki, whole.start)
  const bits = algorithm && readElement(spki, algorithm.end)
  if (bits?.tag !== BIT_STRING) throw new Error('A public key has another form than expected.')
  const digest = createHash('sha256')
    .update(spki.subarray(bits.start + 1, bits.end))
    .digest()
  return digest.subarray(0, SUBJECT_KEY_IDENTIFIER_LENGTH)
}

function encryptedContent(contentKey: Buffer, plaintext: Uint8Array): Buffer {
  const iv = freshBytes(BLOCK_LENGTH)
  const cipher = createCipheriv('aes-256-cbc', createSecretKey(contentKey), iv)
  const encrypted = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return openEnded(
    SEQUENCE,
    oid(DATA),
    element(SEQUENCE, oid(AES_256_CBC), element(OCTET_STRING, iv)),
    openEnded(CONTEXT_0, element(OCTET_STRING, encrypted)),
  )
}
