import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CONTENT_TYPE, RequestSigner } from '../../../shared/store/signature.ts'

/** The hash that the official signer asks for. */
class Sha256 {
  readonly #hash: { update(data: Uint8Array): unknown; digest(): Buffer }
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytes(secret))
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytes(data))
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }
  reset(): void {
    throw new Error('A hash is used once.')
  }
}

const bytes = (data: string | ArrayBuffer | ArrayBufferView): Buffer => {
  if (typeof data === 'string') return Buffer.from(data)
  if (data instanceof ArrayBuffer) return Buffer.from(data)
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}

const requests = fc.record({
  body: fc.string({ unit: 'grapheme' }),
  secretAccessKey: fc.string({ minLength: 1 }),
  sessionToken: fc.option(fc.base64String({ minLength: 4 }), { nil: undefined }),
  time: fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
  port: fc.option(fc.nat({ max: 65_535 }), { nil: undefined }),
})

test('a request is signed as the official signer signs it', async () => {
  const signer = new RequestSigner('eu-central-1')
  await fc.assert(
    fc.asyncProperty(requests, async ({ body, secretAccessKey, sessionToken, time, port }) => {
      const accessKeyId = 'AKIAIOSFODNN7EXAMPLE'
      const token = sessionToken === undefined ? {} : { sessionToken }
      const credentials = { accessKeyId, secretAccessKey, ...token }
      const hostname = 'dynamodb.eu-central-1.amazonaws.com'
      const host = port === undefined ? hostname : `${hostname}:${port}`
      const target = 'DynamoDB_20120810.GetItem'
      const official = new SignatureV4({
        service: 'dynamodb',
        region: 'eu-central-1',
        credentials,
        sha256: Sha256,
        applyChecksum: false,
      })
      const headers = { host, 'content-type': CONTENT_TYPE, 'x-amz-target': target }
      const request = { method: 'POST', protocol: 'https:', hostname, path: '/', headers, body }
      const expected = await official.sign(request, { signingDate: time })
      const signed = signer.sign({ host, target, body }, credentials, time)
      expect(signed).toEqual(expected.headers)
    }),
  )
})
