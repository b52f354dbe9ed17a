/** What comes over the wire that no client would send. */
import { describe, expect, test } from 'vitest'
import { givenKey, kmsClient } from '../../support/kms.ts'
import {
  type Answer,
  callKms,
  jsonOf,
  kmsHeaders,
  type RawRequest,
  send,
  signed,
} from '../../support/raw-call.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const key = await givenKey(kmsClient(stack))
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Checks what every answer has, and that it tells nothing of the inside. */
function requireSound({ headers, body }: Answer): void {
  expect(headers['x-amzn-requestid']).toMatch(UUID)
  expect(headers['content-type']).toBe('application/x-amz-json-1.1')
  expect(headers['content-length']).toBe(String(Buffer.byteLength(body)))
  expect(Math.abs(Date.parse(String(headers.date)) - Date.now())).toBeLessThan(60_000)
  expect(body).not.toMatch(/\.ts\b|node_modules|\n\s+at /)
}

async function answerTo(raw: RawRequest): Promise<{ status: number; json: unknown }> {
  const answer = await send(stack.endpoint, raw)
  requireSound(answer)
  return jsonOf(answer)
}

const signedCall = async (
  raw: RawRequest,
  how: Parameters<typeof signed>[2] = {},
): Promise<RawRequest> => ({ ...raw, headers: await signed(stack, raw, how) })

const encrypt = {
  headers: kmsHeaders('Encrypt'),
  body: JSON.stringify({ KeyId: key.keyId, Plaintext: 'eA==' }),
}
const error = (__type: string, message?: string) => ({
  status: 400,
  json: message === undefined ? { __type } : { __type, message },
})
const mismatch = error(
  'InvalidSignatureException',
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
)

test('A call that is answered carries its headers', async () => {
  const answer = await send(stack.endpoint, await signedCall(encrypt))
  requireSound(answer)
  expect(answer.status).toBe(200)
  expect(answer.headers['cache-control']).toBe('no-cache, no-store, must-revalidate, private')
  const again = await send(stack.endpoint, await signedCall(encrypt))
  expect(again.headers['x-amzn-requestid']).not.toBe(answer.headers['x-amzn-requestid'])
})

describe('Who calls', () => {
  test('must be told', async () => {
    expect(await answerTo(encrypt)).toEqual(
      error('MissingAuthenticationTokenException', 'Missing Authentication Token'),
    )
  })

  test('must be told before anything else, whatever is asked for', async () => {
    const missing = error('MissingAuthenticationTokenException', 'Missing Authentication Token')
    expect(await answerTo({ headers: kmsHeaders('NoSuchOperation'), body: '{' })).toEqual(missing)
    expect(await answerTo({ headers: kmsHeaders('Encrypt'), body: '{' })).toEqual(missing)
  })

  test('must have a known access key', async () => {
    const credentials = { ...stack.credentials, accessKeyId: 'AKIAUNKNOWNUNKNOWN00' }
    const headers = await signed({ ...stack, credentials }, encrypt)
    expect(await answerTo({ ...encrypt, headers })).toEqual(
      error(
        'UnrecognizedClientException',
        'The security token included in the request is invalid.',
      ),
    )
  })

  test('must know the secret', async () => {
    const credentials = { ...stack.credentials, secretAccessKey: 'wrong' }
    const headers = await signed({ ...stack, credentials }, encrypt)
    expect(await answerTo({ ...encrypt, headers })).toEqual(mismatch)
  })

  test.for([
    ['the body', (raw: RawRequest) => ({ ...raw, body: `${raw.body} ` })],
    [
      'the target',
      (raw: RawRequest) => ({
        ...raw,
        headers: { ...raw.headers, 'x-amz-target': 'TrentService.GenerateRandom' },
      }),
    ],
    [
      'the signature',
      (raw: RawRequest) => ({
        ...raw,
        headers: {
          ...raw.headers,
          authorization: (raw.headers?.authorization ?? '').replace(/.$/, (last) =>
            last === '0' ? '1' : '0',
          ),
        },
      }),
    ],
    ['the path', (raw: RawRequest) => ({ ...raw, path: '/?a=b' })],
  ] as const)('must have signed %s', async ([, change]) => {
    expect(await answerTo(change(await signedCall(encrypt)))).toEqual(mismatch)
  })

  test('must have signed every x-amz- header', async () => {
    const call = await signedCall(encrypt)
    const headers = { ...call.headers, 'x-amz-meta-more': 'x' }
    expect(await answerTo({ ...call, headers })).toEqual(
      error(
        'InvalidSignatureException',
        "'x-amz-meta-more' must be a 'SignedHeader' in the AWS Authorization.",
      ),
    )
  })

  test.for([
    [-6 * 60_000, /^Signature expired: \d{8}T\d{6}Z is now earlier than .* - 5 min\.\)$/],
    [6 * 60_000, /^Signature not yet current: \d{8}T\d{6}Z is still later than .* \+ 5 min\.\)$/],
  ] as const)('must have signed now, not %i ms from it', async ([offset, message]) => {
    const signingDate = new Date(Date.now() + offset)
    expect(await answerTo(await signedCall(encrypt, { signingDate }))).toEqual(
      error('InvalidSignatureException', expect.stringMatching(message)),
    )
  })

  test('must have signed for a Region that is served', async () => {
    const headers = await signed({ ...stack, region: 'ap-south-1' }, encrypt)
    expect(await answerTo({ ...encrypt, headers })).toEqual(
      error(
        'InvalidSignatureException',
        "Credential should be scoped to a valid region, not 'ap-south-1'.",
      ),
    )
  })

  test('must have signed for KMS', async () => {
    expect(await answerTo(await signedCall(encrypt, { service: 'cloudtrail' }))).toEqual(
      error('InvalidSignatureException', "Credential should be scoped to correct service: 'kms'."),
    )
  })

  test('must tell it in full', async () => {
    const call = await signedCall(encrypt)
    const authorization = call.headers?.authorization?.replace(/, Signature=.*/, '') ?? ''
    expect(await answerTo({ ...call, headers: { ...call.headers, authorization } })).toEqual(
      error('IncompleteSignatureException', "Authorization header requires 'Signature' parameter."),
    )
  })
})

describe('What is asked for', () => {
  test.for(['NoSuchOperation', 'encrypt', 'CreateGrant.x', ''])(
    'must be an operation, not "%s"',
    async (operation) => {
      const headers = kmsHeaders(operation)
      expect(await answerTo(await signedCall({ headers, body: '{}' }))).toEqual(
        error('UnknownOperationException'),
      )
    },
  )

  test('must be told', async () => {
    const headers = { 'content-type': 'application/x-amz-json-1.1' }
    expect(await answerTo(await signedCall({ headers, body: '{}' }))).toEqual(
      error('UnknownOperationException'),
    )
  })

  test('must be asked for by POST', async () => {
    const raw = { method: 'GET', headers: kmsHeaders('ListKeys') }
    expect(await answerTo(await signedCall(raw))).toEqual(error('UnknownOperationException'))
  })
})

describe('The body', () => {
  test('may be empty, which is as good as {}', async () => {
    const answer = await callKms(stack, 'ListKeys', '')
    expect(answer.status).toBe(200)
    expect(jsonOf(await callKms(stack, 'DescribeKey', ''))).toMatchObject({
      json: { message: expect.stringContaining("Value null at 'keyId'") },
    })
  })

  test('may have a byte order of members and white space of its own', async () => {
    const body = `\n{ "Plaintext" : "eA==" ,\t"KeyId":"${key.keyId}"}\n`
    expect((await callKms(stack, 'Encrypt', body)).status).toBe(200)
  })

  test('may hold members that nobody knows', async () => {
    const input = { KeyId: key.keyId, Plaintext: 'eA==', Unknown: { a: [1, null] }, keyId: 1 }
    expect((await callKms(stack, 'Encrypt', input)).status).toBe(200)
  })

  test('may hold null for what is left out', async () => {
    const input = { KeyId: key.keyId, Plaintext: 'eA==', EncryptionContext: null, DryRun: null }
    expect((await callKms(stack, 'Encrypt', input)).status).toBe(200)
  })

  test.for(['{', '[', '{"KeyId":}', "{'KeyId':'x'}", '{"KeyId":"x"}}', 'KeyId=x', '\uFFFE'])(
    'must be JSON, not %s',
    async (body) => {
      const headers = kmsHeaders('DescribeKey')
      expect(await answerTo(await signedCall({ headers, body }))).toEqual(
        error('SerializationException'),
      )
    },
  )

  test('must be UTF-8', async () => {
    const body = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])
    const headers = kmsHeaders('DescribeKey')
    expect(await answerTo(await signedCall({ headers, body }))).toEqual(
      error('SerializationException'),
    )
  })

  test.for(['[]', 'null', '1', '"text"', 'true'])('must be an object, not %s', async (body) => {
    const { status, json } = jsonOf(await callKms(stack, 'DescribeKey', body))
    expect(status).toBe(400)
    expect(json).toMatchObject({ __type: 'SerializationException' })
  })

  test('may be nested as deep as JSON goes', async () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
    const answer = await callKms(stack, 'ListKeys', `{"Unknown":${deep}}`)
    expect([200, 400]).toContain(answer.status)
    requireSound(answer)
  })

  test.for<[object, string | undefined]>([
    [{ KeyId: 1, Plaintext: 'eA==' }, 'NUMBER_VALUE can not be converted to a String'],
    [{ KeyId: true, Plaintext: 'eA==' }, 'TRUE_VALUE can not be converted to a String'],
    [{ KeyId: 'x', Plaintext: 'not base64!' }, undefined],
    [{ KeyId: 'x', Plaintext: 'eA' }, undefined],
    [{ KeyId: 'x', Plaintext: 1 }, 'NUMBER_VALUE can not be converted to a Blob'],
    [{ KeyId: 'x', EncryptionContext: 'a' }, 'STRING_VALUE can not be converted to a Map'],
    [{ KeyId: 'x', EncryptionContext: ['a'] }, 'Start of list found where not expected.'],
    [{ KeyId: 'x', EncryptionContext: { a: 1 } }, 'NUMBER_VALUE can not be converted to a String'],
    [
      { KeyId: 'x', EncryptionContext: { a: { b: 'c' } } },
      'Start of structure or map found where not expected.',
    ],
    [{ KeyId: 'x', EncryptionContext: { a: null } }, undefined],
    [{ KeyId: 'x', GrantTokens: 'a' }, 'STRING_VALUE can not be converted to a List'],
    [{ KeyId: 'x', GrantTokens: [null] }, undefined],
    [{ KeyId: 'x', DryRun: 'true' }, 'STRING_VALUE can not be converted to a Boolean'],
  ])('must have members of the right type: %j', async ([input, message]) => {
    expect(jsonOf(await callKms(stack, 'Encrypt', input))).toEqual(
      error('SerializationException', message),
    )
  })

  test('must not be larger than a mebibyte', async () => {
    const body = JSON.stringify({ KeyId: key.keyId, Unknown: 'x'.repeat(1_048_576) })
    const answer = await send(
      stack.endpoint,
      await signedCall({ headers: kmsHeaders('DescribeKey'), body }),
    )
    requireSound(answer)
    expect(answer.status).toBe(413)
    expect(jsonOf(answer).json).toMatchObject({ __type: 'RequestEntityTooLargeException' })
    const within = JSON.stringify({ KeyId: key.keyId, Unknown: 'x'.repeat(1_000_000) })
    expect((await callKms(stack, 'DescribeKey', within)).status).toBe(200)
  })
})
