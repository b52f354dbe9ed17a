/**
 * The worked examples of the Amazon S3 API Reference: "Authenticating requests: using query
 * parameters", "Signature calculations for the Authorization header".
 */
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { isSignedWith } from '../../../shared/authn/authenticate.ts'
import { type Claim, readClaim } from '../../../shared/authn/claim.ts'
import { Refusal } from '../../../shared/authn/failure.ts'
import { type Payload, payloadOf } from '../../../shared/authn/payload.ts'
import { payloadStream, trailersOf } from '../../../shared/authn/payload-stream.ts'
import type { SignedRequest } from '../../../shared/authn/request.ts'
import { SERVICE_RULES } from '../../../shared/authn/service-rules.ts'
import { deriveSigningKey } from '../../../shared/authn/signing-key.ts'
import { scopeText } from '../../../shared/authn/string-to-sign.ts'
import { received, region, withHeaders } from './given.ts'

const SECRET = Buffer.from('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY')
const CREDENTIAL = 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request'
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

const authorization = (signedHeaders: string, signature: string): string =>
  `AWS4-HMAC-SHA256 Credential=${CREDENTIAL},SignedHeaders=${signedHeaders},Signature=${signature}`

const inBucket = {
  host: 'examplebucket.s3.amazonaws.com',
  'x-amz-date': '20130524T000000Z',
  'x-amz-content-sha256': EMPTY,
}

const examples: readonly [string, SignedRequest][] = [
  [
    'GET Object of a range',
    received({
      method: 'GET',
      path: '/test.txt',
      query: {},
      headers: {
        ...inBucket,
        range: 'bytes=0-9',
        authorization: authorization(
          'host;range;x-amz-content-sha256;x-amz-date',
          'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
        ),
      },
    }),
  ],
  [
    'PUT Object with a key to encode',
    received({
      method: 'PUT',
      path: '/test$file.text',
      query: {},
      headers: {
        ...inBucket,
        date: 'Fri, 24 May 2013 00:00:00 GMT',
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
        authorization: authorization(
          'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
          '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
        ),
      },
    }),
  ],
  [
    'GET Bucket lifecycle',
    {
      ...received({
        method: 'GET',
        path: '/',
        query: {},
        headers: {
          ...inBucket,
          authorization: authorization(
            'host;x-amz-content-sha256;x-amz-date',
            'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
          ),
        },
      }),
      query: 'lifecycle',
    },
  ],
  [
    'GET Bucket with a prefix',
    {
      ...received({
        method: 'GET',
        path: '/',
        query: {},
        headers: {
          ...inBucket,
          authorization: authorization(
            'host;x-amz-content-sha256;x-amz-date',
            '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
          ),
        },
      }),
      query: 'max-keys=2&prefix=J',
    },
  ],
  [
    'a presigned GET Object',
    received({
      method: 'GET',
      path: '/test.txt',
      query: {
        'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
        'X-Amz-Credential': CREDENTIAL,
        'X-Amz-Date': '20130524T000000Z',
        'X-Amz-Expires': '86400',
        'X-Amz-SignedHeaders': 'host',
        'X-Amz-Signature': 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
      },
      headers: { host: 'examplebucket.s3.amazonaws.com' },
    }),
  ],
]

const claimOf = (request: SignedRequest): Claim => {
  const claim = readClaim(request, null, {
    rules: SERVICE_RULES.s3,
    regions: [region('us-east-1')],
    hosts: [],
    now: Date.UTC(2013, 4, 24),
  })
  if (claim instanceof Refusal) throw new Error(claim.failure.kind)
  return claim
}

const keyOf = (claim: Claim) => deriveSigningKey(SECRET, claim.credential)

test.each(examples)('%s is verified', (_name, request) => {
  const claim = claimOf(request)
  expect(isSignedWith(keyOf(claim), claim)).toBe(true)
})

test.each(examples)('%s is refused with another path', (_name, request) => {
  const claim = claimOf({ ...request, path: `${request.path}x` })
  expect(isSignedWith(keyOf(claim), claim)).toBe(false)
})

const chunked = (
  payload: string,
  headers: Readonly<Record<string, string>>,
  signature: string,
): SignedRequest => {
  const all = {
    'content-encoding': 'aws-chunked',
    host: 's3.amazonaws.com',
    'x-amz-content-sha256': payload,
    'x-amz-date': '20130524T000000Z',
    'x-amz-decoded-content-length': '66560',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    ...headers,
  }
  const request = received({
    method: 'PUT',
    path: '/examplebucket/chunkObject.txt',
    query: {},
    headers: all,
  })
  const names = Object.keys(all).toSorted().join(';')
  return withHeaders(request, { authorization: authorization(names, signature) })
}

const chunk = (data: string, signature: string): string =>
  `${data.length.toString(16)};chunk-signature=${signature}\r\n${data}${data === '' ? '' : '\r\n'}`

function verifiedPayload(request: SignedRequest): Payload {
  const claim = claimOf(request)
  const signingKey = keyOf(claim)
  if (!isSignedWith(signingKey, claim)) throw new Error('The request is not verified.')
  return payloadOf(claim.payload, {
    seedSignature: claim.presented.signature,
    signingKey,
    timestamp: claim.timestamp,
    scope: scopeText(claim.credential),
  })
}

describe('the published uploads in chunks', () => {
  const first = 'a'.repeat(65_536)
  const second = 'a'.repeat(1024)

  test('signed chunks are verified', async () => {
    const request = chunked(
      'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      { 'content-length': '66824' },
      '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
    )
    const body = [
      chunk(first, 'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648'),
      chunk(second, '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497'),
      chunk('', 'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9'),
      '\r\n',
    ].join('')
    expect(Buffer.byteLength(body)).toBe(66_824)
    const data = payloadStream(Readable.from([Buffer.from(body)]), verifiedPayload(request), 66_560)
    expect((await buffer(data)).toString()).toBe(first + second)
  })

  test.each(['\r\n', '\n', '\n\r\n'])(
    'signed chunks with a trailer are verified, whose lines end in %j',
    async (end) => {
      const request = chunked(
        'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
        { 'x-amz-trailer': 'x-amz-checksum-crc32c' },
        '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
      )
      const body = [
        chunk(first, 'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2'),
        chunk(second, '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7'),
        chunk('', '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992'),
        `x-amz-checksum-crc32c:sOO8/Q==${end}`,
        'x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n',
        '\r\n',
      ].join('')
      const payload = verifiedPayload(request)
      const data = payloadStream(Readable.from([Buffer.from(body)]), payload, 66_560)
      expect((await buffer(data)).toString()).toBe(first + second)
      expect([...trailersOf(data)]).toEqual([['x-amz-checksum-crc32c', 'sOO8/Q==']])
    },
  )
})
