/**
 * The content coding aws-chunked: what S3 clients wrap a body in, to sign it in pieces or to send a
 * checksum after it.
 *
 *   HEX[;chunk-signature=64 hex] CRLF data CRLF   for each chunk, the last one of length 0 without data
 *   name:value CRLF …                             the trailer, if the payload has one
 *   x-amz-trailer-signature:64 hex CRLF           if it is signed
 *   CRLF
 *
 * Signed chunks are held back until their signature is verified, so they have a largest size;
 * unsigned ones pass as they come. Source: as chunk-signatures.ts.
 */
import { createHash, type Hash } from 'node:crypto'
import { Transform, type TransformCallback } from 'node:stream'
import { ChunkSignatures } from './chunk-signatures.ts'
import { ChunkedBodyError } from './chunked-body-error.ts'
import type { Payload } from './payload.ts'
import { Trailer } from './trailer.ts'

/** The payloads that are aws-chunked. */
export type ChunkedPayload = Exclude<Payload, { readonly kind: 'hash' | 'unsigned' }>

/** Largest signed chunk, in bytes; clients send from 64 KiB to 1 MiB. */
export const MAX_SIGNED_CHUNK = 16 * 1024 * 1024
const MAX_LINE = 1024
const LINE_FEED = 0x0a
const UNSIGNED_HEADER = /^([0-9a-fA-F]{1,13})\r$/
const SIGNED_HEADER = /^([0-9a-fA-F]{1,13});chunk-signature=([0-9a-f]{64})\r$/

type State = 'header' | 'data' | 'data-end' | 'trailer' | 'last-line' | 'end'

/**
 * Bytes of an aws-chunked body in, its data out. Fails with a `ChunkedBodyError`; what came out
 * before is then no more than chunks that were right, and not the whole body.
 */
export class AwsChunkedDecoder extends Transform {
  readonly #signatures: ChunkSignatures | null
  readonly #header: RegExp
  readonly #hasTrailer: boolean
  readonly #trailer: Trailer
  readonly #decodedLength: number | null
  #state: State = 'header'
  /** Bytes of a line whose end has not come yet. */
  #line = ''
  /** Bytes of the chunk's data still to come. */
  #missing = 0
  #total = 0
  #chunkSignature = ''
  #chunkHash: Hash | null = null
  #held: Buffer[] = []

  /** @param decodedLength - `x-amz-decoded-content-length` in bytes, if it was given */
  constructor(payload: ChunkedPayload, decodedLength: number | null) {
    super()
    const isSigned = payload.kind !== 'unsigned-trailer'
    this.#signatures = isSigned ? new ChunkSignatures(payload) : null
    this.#header = isSigned ? SIGNED_HEADER : UNSIGNED_HEADER
    this.#hasTrailer = payload.kind !== 'signed-chunks'
    this.#trailer = new Trailer(this.#signatures)
    this.#decodedLength = decodedLength
  }

  /** Lower-case name → value; complete, and if signed verified, once the stream has ended. */
  get trailers(): ReadonlyMap<string, string> {
    return this.#trailer.fields
  }

  override _transform(bytes: Buffer, _encoding: string, done: TransformCallback): void {
    try {
      let at = 0
      while (at < bytes.length) {
        at = this.#state === 'data' ? this.#readData(bytes, at) : this.#readLine(bytes, at)
      }
      done()
    } catch (error) {
      done(error as Error)
    }
  }

  override _flush(done: TransformCallback): void {
    done(this.#isWhole() ? null : new ChunkedBodyError('incomplete'))
  }

  #isWhole(): boolean {
    // Once the last signature is verified, nothing can be missing but an empty line.
    const isEnded =
      this.#state === 'end' || (this.#state === 'last-line' && this.#signatures !== null)
    const isLong = this.#decodedLength === null || this.#total === this.#decodedLength
    return isEnded && isLong && (this.#line === '' || this.#line === '\r')
  }

  /** @returns the offset after what was read */
  #readData(bytes: Buffer, at: number): number {
    const data = bytes.subarray(at, at + this.#missing)
    this.#missing -= data.length
    if (this.#chunkHash === null) {
      this.push(data)
    } else {
      this.#chunkHash.update(data)
      this.#held.push(data)
    }
    if (this.#missing === 0) this.#state = 'data-end'
    return at + data.length
  }

  /** @returns the offset after what was read */
  #readLine(bytes: Buffer, at: number): number {
    if (this.#state === 'end') throw new ChunkedBodyError('malformed')
    const end = bytes.indexOf(LINE_FEED, at)
    const until = end === -1 ? bytes.length : end
    if (this.#line.length + until - at > MAX_LINE) throw new ChunkedBodyError('malformed')
    const line = this.#line + bytes.toString('latin1', at, until)
    this.#line = end === -1 ? line : ''
    if (end === -1) return until
    this.#state = this.#takeLine(line)
    return until + 1
  }

  /**
   * @param line - without its line feed
   * @returns what comes next
   */
  #takeLine(line: string): State {
    switch (this.#state) {
      case 'header':
        return this.#startChunk(line)
      case 'data-end':
        return this.#endChunk(line)
      case 'trailer':
        if (!this.#trailer.take(line)) return 'trailer'
        return this.#signatures === null ? 'end' : 'last-line'
      case 'last-line':
        if (line === '\r' || line === '') return 'end'
        throw new ChunkedBodyError('malformed')
      case 'data':
      case 'end':
        throw new ChunkedBodyError('malformed')
      default:
        return this.#state satisfies never
    }
  }

  #startChunk(line: string): State {
    const [, length, signature] = this.#header.exec(line) ?? []
    if (length === undefined) throw new ChunkedBodyError('malformed')
    this.#missing = Number.parseInt(length, 16)
    this.#total += this.#missing
    if (this.#decodedLength !== null && this.#total > this.#decodedLength) {
      throw new ChunkedBodyError('incomplete')
    }
    if (signature !== undefined) this.#startSignedChunk(signature)
    if (this.#missing > 0) return 'data'
    // The chunk of length 0: nothing follows but the trailer.
    this.#releaseVerified()
    return this.#hasTrailer ? 'trailer' : 'last-line'
  }

  #startSignedChunk(signature: string): void {
    if (this.#missing > MAX_SIGNED_CHUNK) throw new ChunkedBodyError('malformed')
    this.#chunkSignature = signature
    this.#chunkHash = createHash('sha256')
  }

  #endChunk(line: string): State {
    if (line !== '\r') throw new ChunkedBodyError('malformed')
    this.#releaseVerified()
    return 'header'
  }

  #releaseVerified(): void {
    if (this.#signatures === null || this.#chunkHash === null) return
    if (!this.#signatures.isChunkSigned(this.#chunkSignature, this.#chunkHash.digest('hex'))) {
      throw new ChunkedBodyError('signature')
    }
    for (const data of this.#held) this.push(data)
    this.#held = []
    this.#chunkHash = null
  }
}
