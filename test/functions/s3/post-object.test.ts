import { createHash, randomBytes } from 'node:crypto'
import {
  GetObjectCommand,
  type GetObjectCommandInput,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutBucketPolicyCommand,
} from '@aws-sdk/client-s3'
import { GetSessionTokenCommand } from '@aws-sdk/client-sts'
import { beforeAll, describe, expect, test } from 'vitest'
import { allowCustomerKeys, customerKey } from '../../support/encryption-modes.ts'
import {
  type Fields,
  formBody,
  type GivenForm,
  sendForm,
  signedFields,
} from '../../support/forms.ts'
import { givenBucket, type RawAnswer, sendRaw, xmlText } from '../../support/s3.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const s3 = stack.s3()
let Bucket: string

beforeAll(async () => {
  Bucket = await givenBucket(s3)
  await allowCustomerKeys(s3, Bucket)
})

const post = (
  given: Omit<GivenForm, 'bucket'>,
  file: Uint8Array | string | null = 'text',
  filename?: string,
): Promise<RawAnswer> =>
  sendForm(stack, {
    path: `/${Bucket}`,
    ...formBody(signedFields(stack, { bucket: Bucket, ...given }), file, filename),
  })
const get = (Key: string, more: Partial<GetObjectCommandInput> = {}) =>
  s3.send(new GetObjectCommand({ Bucket, Key, ...more }))
const textOf = async (Key: string, more: Partial<GetObjectCommandInput> = {}) =>
  (await get(Key, more)).Body?.transformToString()
const told = ({ status, body }: RawAnswer) => [status, xmlText(body, 'Code')]
const messageOf = ({ body }: RawAnswer) => xmlText(body, 'Message')?.replaceAll('&quot;', '"')

describe('a form that is signed', () => {
  test('writes its file, and answers without a body', async () => {
    const answer = await post({ fields: { key: 'plain' } })
    expect([answer.status, answer.body.length]).toEqual([204, 0])
    expect(answer.headers).toMatchObject({
      etag: `"${createHash('md5').update('text').digest('hex')}"`,
      location: `${stack.endpoint}/${Bucket}/plain`,
      'x-amz-server-side-encryption': 'AES256',
    })
    const read = await get('plain')
    expect(await read.Body?.transformToString()).toBe('text')
    expect(read.ContentType).toBe('binary/octet-stream')
  })

  test.each([0, 1, 65_536, 3_000_001])('writes %i bytes as they are', async (size) => {
    const bytes = randomBytes(size)
    // What looks like a delimiter, and is none.
    bytes.write('\r\n--\r\n----', 0, 'latin1')
    expect((await post({ fields: { key: 'bytes' } }, bytes)).status).toBe(204)
    const read = Buffer.from((await (await get('bytes')).Body?.transformToByteArray()) ?? [])
    expect(read.equals(bytes)).toBe(true)
  })

  test('keeps what its fields say of the object', async () => {
    const fields = {
      key: 'described',
      'Content-Type': 'text/plain',
      'Cache-Control': 'no-store',
      'Content-Disposition': 'attachment',
      'x-amz-meta-Colour': 'blåbær',
      acl: 'private',
      tagging: '<Tagging><TagSet><Tag><Key>a b</Key><Value>c/d=e</Value></Tag></TagSet></Tagging>',
    }
    expect((await post({ fields })).status).toBe(204)
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'described' }))).toMatchObject({
      ContentType: 'text/plain',
      CacheControl: 'no-store',
      ContentDisposition: 'attachment',
      Metadata: { colour: expect.stringMatching(/^=\?UTF-8\?B\?/) },
    })
    const tags = await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'described' }))
    expect(tags.TagSet).toEqual([{ Key: 'a b', Value: 'c/d=e' }])
  })

  test.each([
    ['photo.jpg', 'photo.jpg'],
    ['C:\\My Pictures\\photo.jpg', 'photo.jpg'],
    ['/home/me/photo.jpg', 'photo.jpg'],
    ['$&.jpg', '$&.jpg'],
    ['', ''],
  ])('puts the name of the file %j into the key', async (filename, name) => {
    const form = {
      fields: { key: ['from/$', '{filename}!'].join('') },
      onlyConditions: covering(['key', 'from/']),
    }
    expect((await post(form, 'named', filename)).status).toBe(204)
    expect(await textOf(`from/${name}!`)).toBe('named')
  })

  test('does not mind how names and operators are spelt', async () => {
    const fields = { KEY: 'spelt', ACL: 'private', 'Content-type': 'text/plain' }
    const onlyConditions = [
      { bUcKeT: Bucket },
      ['StArTs-WiTh', '$KeY', 'sp'],
      { AcL: 'private' },
      ['sTaRtS-wItH', '$CoNtEnT-TyPe', 'text/'],
      ...covering(),
    ]
    expect((await post({ fields, onlyConditions })).status).toBe(204)
    expect(await textOf('spelt')).toBe('text')
  })

  test('may hold fields that are to be ignored, and anything behind its file', async () => {
    const fields = signedFields(stack, { bucket: Bucket, fields: { key: 'behind' } })
    const { body, type } = formBody({ ...fields, 'x-ignore-me': 'x' }, 'text')
    const more = Buffer.concat([body, Buffer.from('whatever this is')])
    expect((await sendForm(stack, { path: `/${Bucket}/`, body: more, type })).status).toBe(204)
    expect(await textOf('behind')).toBe('text')
  })

  test('may be of a session', async () => {
    const { Credentials } = await stack.sts().send(new GetSessionTokenCommand({}))
    const credentials = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    }
    const session = { ...stack, credentials }
    const send = (spoiled: GivenForm['spoiled'] = {}) => {
      const fields = signedFields(session, { bucket: Bucket, fields: { key: 'session' }, spoiled })
      return sendForm(stack, { path: `/${Bucket}`, ...formBody(fields, 'text') })
    }
    expect((await send()).status).toBe(204)
    expect(told(await send({ 'x-amz-security-token': undefined }))).toEqual([
      403,
      'InvalidAccessKeyId',
    ])
    expect(told(await send({ 'x-amz-security-token': 'x' }))).toEqual([400, 'InvalidToken'])
  })
})

/** Conditions on what every form has, and on one field that begins so. */
function covering(...starts: readonly (readonly [string, string])[]): unknown[] {
  return [
    ...(starts.length === 0 ? [] : [{ bucket: Bucket }]),
    ...starts.map(([name, value]) => ['starts-with', `$${name}`, value]),
    ...['x-amz-algorithm', 'x-amz-credential', 'x-amz-date'].map((name) => [
      'starts-with',
      `$${name}`,
      '',
    ]),
  ]
}

describe('the answer', () => {
  test('is what the form asks for', async () => {
    for (const [asked, status] of [
      ['200', 200],
      ['204', 204],
      ['404', 204],
    ] as const) {
      const answer = await post({ fields: { key: 'status', success_action_status: asked } })
      expect([answer.status, answer.body.length]).toEqual([status, 0])
    }
  })

  test('tells what was written with 201', async () => {
    const answer = await post({ fields: { key: 'a b/é', success_action_status: '201' } })
    expect(answer.status).toBe(201)
    expect(answer.headers['content-type']).toBe('application/xml')
    const names = ['Location', 'Bucket', 'Key', 'ETag']
    expect(names.map((name) => xmlText(answer.body, name))).toEqual([
      `${stack.endpoint}/${Bucket}/a%20b/%C3%A9`,
      Bucket,
      'a b/é',
      String(answer.headers.etag).replaceAll('"', '&quot;'),
    ])
    expect(answer.body.toString()).toContain('<PostResponse>')
  })

  test('sends the browser on, with what was written', async () => {
    const url = 'https://page.example/done?x=1'
    for (const name of ['success_action_redirect', 'redirect']) {
      const answer = await post({ fields: { key: 'next', [name]: url } })
      expect(answer.status).toBe(303)
      const { searchParams, origin } = new URL(String(answer.headers.location))
      expect(origin).toBe('https://page.example')
      expect(Object.fromEntries(searchParams)).toEqual({
        x: '1',
        bucket: Bucket,
        key: 'next',
        etag: answer.headers.etag,
      })
    }
  })

  test.each(['javascript:alert(1)', 'not a url', ''])('sends nobody to %j', async (url) => {
    const answer = await post({ fields: { key: 'next', success_action_redirect: url } })
    expect(answer.status).toBe(204)
  })
})

describe('encryption and checksums', () => {
  test('of a KMS key', async () => {
    const fields = { key: 'kms', 'x-amz-server-side-encryption': 'aws:kms' }
    const answer = await post({ fields })
    expect(answer.headers['x-amz-server-side-encryption']).toBe('aws:kms')
    expect((await get('kms')).SSEKMSKeyId).toMatch(/^arn:aws:kms:/)
    expect(await textOf('kms')).toBe('text')
  })

  test("of a caller's key", async () => {
    const trio = customerKey()
    const name = 'x-amz-server-side-encryption-customer-'
    const fields = {
      key: 'c',
      [`${name}algorithm`]: 'AES256',
      [`${name}key`]: trio.SSECustomerKey ?? '',
      [`${name}key-MD5`]: trio.SSECustomerKeyMD5 ?? '',
    }
    expect((await post({ fields })).status).toBe(204)
    await expect(get('c')).rejects.toMatchObject({ name: 'InvalidRequest' })
    expect(await textOf('c', trio)).toBe('text')
    const wrong = { ...fields, [`${name}key-MD5`]: customerKey().SSECustomerKeyMD5 ?? '' }
    expect(told(await post({ fields: wrong }))).toEqual([400, 'InvalidArgument'])
  })

  test('a checksum has to be that of the file', async () => {
    const digest = (text: string) => createHash('sha256').update(text).digest('base64')
    const fields = (of: string) => ({
      key: 'sum',
      'x-amz-checksum-algorithm': 'SHA256',
      'x-amz-checksum-sha256': digest(of),
    })
    expect((await post({ fields: fields('text') })).headers['x-amz-checksum-sha256']).toBe(
      digest('text'),
    )
    const wrong = await post({ fields: fields('another') }, 'changed')
    expect(told(wrong)).toEqual([400, 'BadDigest'])
    expect(await textOf('sum')).toBe('text')
  })
})

describe('a policy', () => {
  const key = 'refused'
  const fields: Fields = { key }

  test.each<[string, () => Omit<GivenForm, 'bucket'>]>([
    ['Policy expired.', () => ({ fields, expiration: new Date(Date.now() - 1000).toISOString() })],
    ['Extra input fields: x-amz-meta-a', () => ({ fields, spoiled: { 'x-amz-meta-a': 'b' } })],
    [
      'Extra input fields: x-amz-server-side-encryption',
      () => ({ fields, spoiled: { 'x-amz-server-side-encryption': 'AES256' } }),
    ],
    [
      'Extra input fields: success_action_status',
      () => ({ fields, spoiled: { success_action_status: '200' } }),
    ],
    [
      'Extra input fields: bucket',
      () => ({ fields, onlyConditions: covering(['key', '']).slice(1) }),
    ],
    [
      'Policy Condition failed: ["eq", "$key", "refused"]'.replaceAll(', ', ','),
      () => ({ fields, spoiled: { key: 'other' } }),
    ],
    [
      'Policy Condition failed: ["starts-with","$key","user/"]',
      () => ({ fields, conditions: [['starts-with', '$key', 'user/']] }),
    ],
    [
      'Policy Condition failed: ["eq","$x-amz-meta-a","b"]',
      () => ({ fields, conditions: [['eq', '$x-amz-meta-a', 'b']] }),
    ],
    [
      'Policy Condition failed: ["eq","$bucket","another"]',
      () => ({ fields, conditions: [{ bucket: 'another' }] }),
    ],
  ])('that does not allow the form refuses it: %s', async (reason, given) => {
    const refused = await post(given())
    expect(told(refused)).toEqual([403, 'AccessDenied'])
    expect(messageOf(refused)).toBe(`Invalid according to Policy: ${reason}`)
    await expect(get(key)).rejects.toMatchObject({ name: 'NoSuchKey' })
  })

  test.each([
    ['EntityTooSmall', 5, 10],
    ['EntityTooLarge', 0, 3],
    ['EntityTooSmall', '5', '10'],
  ])('that wants another size is %s', async (code, min, max) => {
    const refused = await post({ fields, conditions: [['content-length-range', min, max]] })
    expect(told(refused)).toEqual([400, code])
    await expect(get(key)).rejects.toMatchObject({ name: 'NoSuchKey' })
  })

  test('that wants this size takes it', async () => {
    const conditions = [['content-length-range', 4, 4]]
    expect((await post({ fields: { key: 'fits' }, conditions })).status).toBe(204)
  })

  test('counts each type of a list', async () => {
    const send = (type: string) =>
      post({
        fields: { key: 'types', 'Content-Type': type },
        onlyConditions: [...covering(['key', '']), ['starts-with', '$Content-Type', 'image/']],
      })
    expect((await send('image/png, image/jpeg')).status).toBe(204)
    expect((await send('image/png, text/html')).status).toBe(403)
  })

  test.each(
    [
      '',
      '{',
      '[]',
      '"x"',
      '{"conditions":[]}',
      '{"expiration":"2099-01-01T00:00:00Z"}',
      '{"EXPIRATION":"2099-01-01T00:00:00Z","conditions":[]}',
      '{"expiration":"2099-01-01T00:00:00Z","CONDITIONS":[]}',
      '{"expiration":"tomorrow","conditions":[]}',
      '{"expiration":"2099-01-01T00:00:00+02:00","conditions":[]}',
      '{"expiration":"2099-01-01T00:00:00Z","conditions":{}}',
      '{"expiration":"2099-01-01T00:00:00Z","conditions":[{}]}',
      '{"expiration":"2099-01-01T00:00:00Z","conditions":[{"a":"b","c":"d"}]}',
      '{"expiration":"2099-01-01T00:00:00Z","conditions":[["eq","key","x"]]}',
      '{"expiration":"2099-01-01T00:00:00Z","conditions":[["eq","$key"]]}',
      '{"expiration":"2099-01-01T00:00:00Z","conditions":[["ends-with","$key","x"]]}',
      '{"expiration":"2099-01-01T00:00:00Z","conditions":[["content-length-range",0]]}',
      '{"expiration":"2099-01-01T00:00:00Z","conditions":[["content-length-range",-1,1]]}',
      '{"expiration":"2099-01-01T00:00:00Z","conditions":[["content-length-range","a","b"]]}',
    ].filter((policy) => policy !== ''),
  )('that cannot be read is refused: %s', async (policy) => {
    expect(told(await post({ fields, policy }))).toEqual([400, 'InvalidPolicyDocument'])
  })
})

describe('who made the form', () => {
  const fields: Fields = { key: 'whose' }

  test.each([
    ['SignatureDoesNotMatch', 403, { 'x-amz-signature': '0'.repeat(64) }],
    ['SignatureDoesNotMatch', 403, { policy: Buffer.from('{}').toString('base64') }],
    [
      'InvalidAccessKeyId',
      403,
      { 'x-amz-credential': 'AKIAUNKNOWNUNKNOWN00/20200101/us-east-1/s3/aws4_request' },
    ],
    ['AuthorizationQueryParametersError', 400, { 'x-amz-date': 'now' }],
    ['AuthorizationQueryParametersError', 400, { 'x-amz-algorithm': 'AWS4-ECDSA-P256-SHA256' }],
    ['AuthorizationQueryParametersError', 400, { 'x-amz-credential': 'nobody' }],
    ['InvalidArgument', 400, { 'x-amz-signature': undefined }],
    ['InvalidArgument', 400, { 'x-amz-date': undefined }],
    ['InvalidArgument', 400, { policy: undefined }],
    ['InvalidArgument', 400, { key: undefined }],
    [
      'AccessDenied',
      403,
      Object.fromEntries(
        ['policy', 'x-amz-algorithm', 'x-amz-credential', 'x-amz-date', 'x-amz-signature'].map(
          (name) => [name, undefined],
        ),
      ),
    ],
  ] as [string, number, Record<string, string | undefined>][])(
    'is %s (%i) with %o',
    async (code, status, spoiled) => {
      const day = new Date().toISOString().slice(0, 10).replaceAll('-', '')
      const given = Object.fromEntries(
        Object.entries(spoiled).map(([name, value]) => [name, value?.replace('20200101', day)]),
      )
      expect(told(await post({ fields, spoiled: given }))).toEqual([status, code])
    },
  )

  test('counts for a week at most', async () => {
    const at = (days: number) => new Date(Date.now() + days * 86_400_000)
    const expiration = at(1).toISOString()
    expect((await post({ fields, now: at(-6.9), expiration })).status).toBe(204)
    expect(told(await post({ fields, now: at(-7.1), expiration }))).toEqual([403, 'AccessDenied'])
    expect(told(await post({ fields, now: at(1), expiration }))).toEqual([403, 'AccessDenied'])
  })

  test('must be allowed to write', async () => {
    const closed = await givenBucket(s3)
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Deny',
          Principal: '*',
          Action: 's3:PutObject',
          Resource: `arn:aws:s3:::${closed}/*`,
          Condition: { StringEquals: { 's3:authtype': 'POST' } },
        },
      ],
    })
    await s3.send(new PutBucketPolicyCommand({ Bucket: closed, Policy }))
    const form = formBody(signedFields(stack, { bucket: closed, fields }), 'text')
    expect(told(await sendForm(stack, { path: `/${closed}`, ...form }))).toEqual([
      403,
      'AccessDenied',
    ])
  })

  test('is told of a bucket that there is not', async () => {
    const bucket = `${Bucket}-x`
    const form = formBody(signedFields(stack, { bucket, fields }), 'text')
    expect(told(await sendForm(stack, { path: `/${bucket}`, ...form }))).toEqual([
      404,
      'NoSuchBucket',
    ])
  })
})

describe('a body that is no form', () => {
  const fields: Fields = { key: 'broken' }
  const given = () => formBody(signedFields(stack, { bucket: Bucket, fields }), 'text')
  const send = (body: Uint8Array, type: string) =>
    sendForm(stack, { path: `/${Bucket}`, body, type })

  test('by its type', async () => {
    for (const type of ['text/plain', 'multipart/form-data', 'multipart/mixed; boundary=x']) {
      const refused = await send(given().body, type)
      expect(told(refused)).toEqual([412, 'PreconditionFailed'])
      expect(xmlText(refused.body, 'Condition')).toContain('multipart/form-data')
    }
  })

  test('by its bytes', async () => {
    const { type } = given()
    for (const body of ['', 'text', '--', 'key=value']) {
      expect(told(await send(Buffer.from(body), type))).toEqual([400, 'MalformedPOSTRequest'])
    }
  })

  test('that is cut in its file writes nothing', async () => {
    const { body, type } = given()
    const cut = await send(body.subarray(0, body.length - 10), type)
    expect(told(cut)).toEqual([400, 'IncompleteBody'])
    await expect(get('broken')).rejects.toMatchObject({ name: 'NoSuchKey' })
  })

  test('without a file', async () => {
    const { body, type } = formBody(signedFields(stack, { bucket: Bucket, fields }), null)
    expect(told(await send(body, type))).toEqual([400, 'InvalidArgument'])
  })

  test('with more before the file than there may be', async () => {
    const more = { 'x-ignore-much': 'x'.repeat(20_480) }
    const { body, type } = formBody(
      { ...signedFields(stack, { bucket: Bucket, fields }), ...more },
      'text',
    )
    expect(told(await send(body, type))).toEqual([400, 'MaxPostPreDataLengthExceeded'])
  })

  test('with a field that comes twice', async () => {
    const { body, type } = formBody(
      { ...signedFields(stack, { bucket: Bucket, fields }), KEY: 'other' },
      'text',
    )
    expect(told(await send(body, type))).toEqual([400, 'MalformedPOSTRequest'])
  })
})

test('A form that is refused does not stop what comes after it', async () => {
  const large = Buffer.alloc(8_000_000)
  const refused = await post({ fields: { key: 'large' }, spoiled: { 'x-amz-meta-a': 'b' } }, large)
  expect(told(refused)).toEqual([403, 'AccessDenied'])
  const unknown = await post(
    { fields: { key: 'large' }, spoiled: { 'x-amz-signature': 'x' } },
    large,
  )
  expect(told(unknown)).toEqual([403, 'SignatureDoesNotMatch'])
})

test('A POST that is signed in its header is no form', async () => {
  const refused = await sendRaw(stack, {
    method: 'POST',
    path: `/${Bucket}`,
    body: Buffer.from('x'),
  })
  expect(told(refused)).toEqual([412, 'PreconditionFailed'])
})
