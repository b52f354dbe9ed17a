/**
 * Digests of plaintext, all in the one pass that encrypts it: the ETag's MD5 and the checksums of
 * S3 (Amazon S3 User Guide, "Checking object integrity"). The CRCs of the published packages reach
 * a tenth of the speed of AES-GCM or less, so two of them are our own.
 */
import { createHash, type Hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { crc32c } from './crc32c.ts'
import { Crc64Nvme } from './crc64-nvme.ts'

/** As in `x-amz-checksum-…`, in capitals. */
export const digestNames = ['MD5', 'CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const
export type DigestName = (typeof digestNames)[number]

/** One digest in the making. */
interface Digest {
  update(bytes: Uint8Array): unknown
  /** Big-endian. */
  digest(): Buffer
}

/** Takes plaintext once and gives every digest that was asked for. */
export class PlaintextDigests {
  readonly #running: ReadonlyMap<DigestName, Digest>
  #results: ReadonlyMap<DigestName, Buffer> | null = null

  constructor(names: Iterable<DigestName>) {
    this.#running = new Map(Array.from(names, (name) => [name, start(name)]))
  }

  /** Takes the next bytes; may be passed on as it is, to `SegmentEncryptor`'s `observe`. */
  readonly update = (bytes: Uint8Array): void => {
    for (const digest of this.#running.values()) digest.update(bytes)
  }

  /** @returns the digest in base64; `null` when it was not asked for. No more bytes may come. */
  base64(name: DigestName): string | null {
    return this.#finish().get(name)?.toString('base64') ?? null
  }

  /** @returns the digest in lower-case hex, as in an ETag; `null` when it was not asked for */
  hex(name: DigestName): string | null {
    return this.#finish().get(name)?.toString('hex') ?? null
  }

  #finish(): ReadonlyMap<DigestName, Buffer> {
    this.#results ??= new Map(
      Array.from(this.#running, ([name, digest]) => [name, digest.digest()]),
    )
    return this.#results
  }
}

/** @returns the digest of the bytes, big-endian */
export function digestOf(name: DigestName, bytes: Uint8Array): Buffer {
  const digest = start(name)
  digest.update(bytes)
  return digest.digest()
}

/**
 * The composite checksum of a multipart upload: the digest of its parts' digests, joined.
 * @param parts - in base64, in the order of the parts
 * @returns `base64-N`, N being the number of parts
 */
export const compositeChecksum = (name: DigestName, parts: readonly string[]): string =>
  `${composite(name, parts, 'base64').toString('base64')}-${parts.length}`

/**
 * The ETag of a multipart upload, formed in the same way from MD5s in hex.
 * @returns `hex-N`, without quotes
 */
export const compositeEtag = (parts: readonly string[]): string =>
  `${composite('MD5', parts, 'hex').toString('hex')}-${parts.length}`

const composite = (name: DigestName, parts: readonly string[], form: 'base64' | 'hex'): Buffer =>
  digestOf(name, Buffer.concat(parts.map((part) => Buffer.from(part, form))))

function start(name: DigestName): Digest {
  switch (name) {
    case 'MD5':
      return hash('md5')
    case 'SHA1':
      return hash('sha1')
    case 'SHA256':
      return hash('sha256')
    case 'CRC32':
      return new Crc32(crc32)
    case 'CRC32C':
      return new Crc32(crc32c)
    case 'CRC64NVME':
      return new Crc64Nvme()
    default:
      return name satisfies never
  }
}

const hash = (algorithm: 'md5' | 'sha1' | 'sha256'): Hash => createHash(algorithm)

class Crc32 implements Digest {
  readonly #crc: (bytes: Uint8Array, before: number) => number
  #value = 0

  constructor(crc: (bytes: Uint8Array, before: number) => number) {
    this.#crc = crc
  }

  update(bytes: Uint8Array): void {
    this.#value = this.#crc(bytes, this.#value)
  }

  digest(): Buffer {
    const digest = Buffer.allocUnsafe(4)
    digest.writeUInt32BE(this.#value)
    return digest
  }
}
