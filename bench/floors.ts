/** What cannot be undercut on this machine: the same cryptography without a server, and an empty server. */
import { createCipheriv, createSecretKey, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  openCiphertextBlob,
  parseCiphertextBlob,
  sealCiphertextBlob,
} from '../shared/crypto/ciphertext-blob.ts'
import { type AccountId, type MaterialId, parseAccountId, parseMaterialId } from '../shared/ids.ts'
import { newKeyId } from '../shared/keys/key-id.ts'

const SEGMENT = Buffer.alloc(64 * 1024, 7)

/** @returns how often per second `work` can be done, by doing it for about `ms` milliseconds */
function rate(work: () => void, ms: number): number {
  for (let i = 0; i < 200; i++) work()
  const start = performance.now()
  let count = 0
  while (performance.now() - start < ms) {
    for (let i = 0; i < 20; i++) work()
    count += 20
  }
  return count / ((performance.now() - start) / 1000)
}

/** @returns MB/s of AES-256-GCM in segments of 64 KiB, each under its own nonce */
export function rawAesGcm(ms: number): number {
  const key = randomBytes(32)
  const nonce = Buffer.alloc(12)
  let index = 0
  const perSecond = rate(() => {
    nonce.writeUInt32BE(index++, 7)
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 })
    cipher.update(SEGMENT)
    cipher.final()
    cipher.getAuthTag()
  }, ms)
  return (perSecond * SEGMENT.length) / 1e6
}

/** @returns calls per second of the cryptography of Encrypt and Decrypt of 32 bytes alone */
export function cryptographyAlone(ms: number): {
  readonly encrypt: number
  readonly decrypt: number
} {
  const material = createSecretKey(randomBytes(32))
  const address = {
    account: parseAccountId('111122223333') as AccountId,
    keyId: newKeyId(false),
    materialId: parseMaterialId('ab'.repeat(32)) as MaterialId,
  }
  const context = { team: 'payments' }
  const plaintext = randomBytes(32)
  const bytes = sealCiphertextBlob(address, material, plaintext, context)
  return {
    encrypt: rate(() => sealCiphertextBlob(address, material, plaintext, context), ms),
    decrypt: rate(() => {
      const blob = parseCiphertextBlob(bytes)
      if (blob === null || openCiphertextBlob(blob, material, context) === null) {
        throw new Error('The blob does not open.')
      }
    }, ms),
  }
}

/** An HTTP server that reads the body and answers with as many bytes as Encrypt does. */
function emptyServer(): void {
  const answer = Buffer.alloc(330, 97)
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      response.writeHead(200, {
        'content-type': 'application/x-amz-json-1.1',
        'content-length': answer.length,
      })
      response.end(answer)
    })
  })
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
  process.on('disconnect', () => process.exit())
}

if (process.argv[2] === 'empty-server') emptyServer()
