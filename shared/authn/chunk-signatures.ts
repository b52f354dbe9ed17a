/**
 * The chain of signatures over the chunks of a body: each covers the one before it, and the first
 * one the signature of the request. Source: Amazon S3 API, "Signature calculations for the
 * Authorization header: transferring payload in multiple chunks", "… Including trailing headers".
 */
import { hash } from 'node:crypto'
import { equalsDigest } from './equal-hex.ts'
import type { ChunkSigning } from './payload.ts'
import { hmac } from './signing-key.ts'

const EMPTY_SHA256 = hash('sha256', '')

export class ChunkSignatures {
  readonly #signing: ChunkSigning
  #previous: string

  constructor(signing: ChunkSigning) {
    this.#signing = signing
    this.#previous = signing.seedSignature
  }

  /** @param dataSha256 - of the chunk's data, in hex. @returns whether the signature is the next of the chain */
  isChunkSigned(signature: string, dataSha256: string): boolean {
    return this.#isNext('AWS4-HMAC-SHA256-PAYLOAD', `${EMPTY_SHA256}\n${dataSha256}`, signature)
  }

  /** @param trailer - `name:value` and a line feed for each line. @returns whether the signature ends the chain */
  isTrailerSigned(signature: string, trailer: string): boolean {
    return this.#isNext('AWS4-HMAC-SHA256-TRAILER', hash('sha256', trailer), signature)
  }

  #isNext(algorithm: string, hashes: string, signature: string): boolean {
    const { timestamp, scope, signingKey } = this.#signing
    const text = `${algorithm}\n${timestamp}\n${scope}\n${this.#previous}\n${hashes}`
    this.#previous = signature
    return equalsDigest(signature, hmac(signingKey, text))
  }
}
