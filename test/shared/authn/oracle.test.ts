/** Whatever the SDK's own signer signs is verified, and nothing else. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  given,
  givenAuthenticator,
  presigned,
  received,
  signed,
  type Unsigned,
  withHeaders,
} from './given.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 8 })
const encode = (segment: string): string =>
  encodeURIComponent(segment).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
const segment = fc.oneof(
  text.filter((one) => !one.includes('/')).map(encode),
  fc.constantFrom('', '.', '..', '%7E', '%2B', '+'),
)
const path = fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join('/')}`)
const query = fc
  .dictionary(
    fc.oneof(text, fc.constantFrom('a+b', 'a b', 'uploads', 'x-id')),
    fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 })),
    { maxKeys: 4, noNullPrototype: true },
  )
  .filter((one) => !Object.hasOwn(one, '__proto__') && !Object.hasOwn(one, ''))
const headers = fc.dictionary(
  fc.stringMatching(/^x-(amz-meta|test)-[a-z]{1,6}$/),
  fc.stringMatching(/^[\t !-~]{0,12}$/),
  { maxKeys: 4, noNullPrototype: true },
)
const method = fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'HEAD')
const body = fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes))

const ofAwsJson = fc.record({ method, path, query, headers, body })
const ofS3: fc.Arbitrary<Unsigned & { readonly body: Buffer }> = fc
  .record({ method, path: path.filter(isEncodedByClients), query, headers, body })
  .map((unsigned) => ({
    ...unsigned,
    headers: { ...unsigned.headers, ...sha256Of(unsigned.body) },
  }))

/** S3 clients escape all but the unreserved characters; `+` in a path comes from nobody. */
function isEncodedByClients(one: string): boolean {
  return !one.includes('+') && !one.includes('%7E')
}

const sha256Of = (bytes: Buffer) => ({
  'x-amz-content-sha256': createHash('sha256').update(bytes).digest('hex'),
})

test('a request of a service that normalizes paths is verified', async () => {
  const { authenticator, credentials } = await givenAuthenticator()
  await fc.assert(
    fc.asyncProperty(ofAwsJson, async (unsigned) => {
      const request = await signed(unsigned, { credentials, service: 'kms' })
      const expected = { service: 'kms', body: unsigned.body } as const
      expect((await authenticator.authenticate(request, expected)).ok).toBe(true)
    }),
  )
})

test('a request of S3 is verified', async () => {
  const { authenticator, credentials } = await givenAuthenticator()
  await fc.assert(
    fc.asyncProperty(ofS3, async (unsigned) => {
      const request = await signed(unsigned, { credentials, service: 's3' })
      const expected = { service: 's3', body: null } as const
      expect((await authenticator.authenticate(request, expected)).ok).toBe(true)
    }),
  )
})

test('a presigned URL of S3 is verified', async () => {
  const { authenticator, credentials } = await givenAuthenticator()
  await fc.assert(
    fc.asyncProperty(ofS3, async ({ method, path, query }) => {
      const unsigned = { method, path, query } as Unsigned
      const request = await presigned(unsigned, { credentials, service: 's3' })
      const expected = { service: 's3', body: null } as const
      expect((await authenticator.authenticate(request, expected)).ok).toBe(true)
    }),
  )
})

test('a request is refused once one byte of it is another', async () => {
  const { authenticator, credentials } = await givenAuthenticator()
  const different = fc.tuple(ofAwsJson, fc.nat(), fc.integer({ min: 1, max: 255 }))
  await fc.assert(
    fc.asyncProperty(different, async ([unsigned, where, change]) => {
      const request = await signed(unsigned, { credentials, service: 'kms' })
      const ask = async (spoiled: typeof request, bytes: Buffer) =>
        (await authenticator.authenticate(spoiled, { service: 'kms', body: bytes })).ok
      const bytes = Buffer.concat([unsigned.body, Buffer.of(0)])
      const at = where % bytes.length
      bytes[at] = given(bytes[at]) ^ change
      expect(await ask(request, bytes)).toBe(false)
      expect(await ask({ ...request, path: `${request.path}x` }, unsigned.body)).toBe(false)
      const query = `${request.query}&${encode(String(where))}`
      expect(await ask({ ...request, query }, unsigned.body)).toBe(false)
      const names = [...request.headers.keys()].filter((name) => name !== 'authorization')
      const name = given(names[where % names.length])
      const value = `${request.headers.get(name)?.[0]}x`
      expect(await ask(withHeaders(request, { [name]: value }), unsigned.body)).toBe(false)
    }),
    { numRuns: 50 },
  )
})

test('no request, however it is made, raises an error', async () => {
  const { authenticator } = await givenAuthenticator()
  const anything = fc.record({
    method: fc.string(),
    path: fc.string({ unit: 'binary' }),
    query: fc.oneof(fc.string({ unit: 'binary' }), fc.constant('X-Amz-Signature=%FF&X-Amz-Date')),
    headers: fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom('authorization', 'x-amz-date', 'host')),
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.string().map((rest) => `AWS4-HMAC-SHA256 Credential=${rest}`),
      ),
      { noNullPrototype: true },
    ),
  })
  await fc.assert(
    fc.asyncProperty(anything, async (request) => {
      for (const service of ['s3', 'kms'] as const) {
        const expected = { service, body: service === 's3' ? null : Buffer.alloc(0) }
        const answer = await authenticator.authenticate(
          { ...received({ ...request, query: {} }), query: request.query },
          expected,
        )
        expect(answer.ok).toBe(false)
      }
    }),
  )
})
