/**
 * Nothing of one tenant is reachable from another: every operation of every API, asked by another
 * tenant's administrator, with everything that a tenant has. An answer may not tell whether a thing
 * is another tenant's or nobody's, and nothing of that tenant may be in an answer or in a record.
 */
import { globSync, readFileSync } from 'node:fs'
import {
  DescribeKeyCommand,
  ListAliasesCommand,
  ListGrantsCommand,
  ListKeysCommand,
} from '@aws-sdk/client-kms'
import {
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PROJECT, readFunctions } from '../../infra/local/functions.ts'
import { kmsClient } from '../support/kms.ts'
import {
  goodRequest,
  membersOf,
  modelledOperations,
  requestOf,
  shapeOf,
} from '../support/kms-model.ts'
import { recordsOf } from '../support/ledger-records.ts'
import { type Answer, callKms, send, signed } from '../support/raw-call.ts'
import { sendRaw } from '../support/s3.ts'
import { s3Of } from '../support/sessions.ts'
import { givenTenantsStack, type TenantsStack, type User } from '../support/tenants-stack.ts'
import { type Foreign, givenOtherTenant, type OtherTenant } from './foreign-things.ts'

let stack: TenantsStack
let theirs: OtherTenant
let stranger: User
let before: unknown
/** Everything that the stranger was answered, to be searched at the end. */
const heard: string[] = []

beforeAll(async () => {
  stack = await givenTenantsStack()
  theirs = await givenOtherTenant(stack)
  stranger = await stack.tenant('444455556666')
  before = await stateOf()
}, 60_000)
afterAll(() => stack.close())

/** What the other tenant has, as it sees it itself. */
async function stateOf(): Promise<unknown> {
  const [kms, s3] = [kmsClient(stack.admin), s3Of(stack.admin)]
  const { Keys = [] } = await kms.send(new ListKeysCommand({}))
  const at = { Bucket: theirs.bucket }
  const { Body } = await s3.send(new GetObjectCommand({ ...at, Key: theirs.object }))
  return {
    keys: await Promise.all(
      Keys.map(async ({ KeyId }) => [
        (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata,
        (await kms.send(new ListGrantsCommand({ KeyId }))).Grants,
      ]),
    ),
    aliases: (await kms.send(new ListAliasesCommand({}))).Aliases,
    objects: (await s3.send(new ListObjectsV2Command(at))).Contents,
    uploads: (await s3.send(new ListMultipartUploadsCommand(at))).Uploads,
    content: await Body?.transformToString(),
  }
}

/** What differs between any two answers: ids, times, and what is random in what was made. */
const VOLATILE: readonly (readonly [RegExp, string])[] = [
  [/<(RequestId|HostId|ResponseMetadata)>.*?<\/\1>/gs, ''],
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID'],
  [/\b(AKIA|ASIA|AIDA|AROA|ANPA)[A-Z2-7]{12,17}\b/g, 'ID'],
  [
    /"[A-Za-z]*(Date|Time|At|From|Secret\w*|Token|Id|Plaintext|CiphertextBlob|Marker)":("[^"]*"|[0-9.e+]+)/g,
    '',
  ],
  [/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/g, 'TIME'],
  [/[0-9a-f]{64}/g, 'HEX'],
]
const VOLATILE_HEADERS =
  /^(date|x-amz-?n?-?request-?id|x-amzn-requestid|x-amz-id-2|content-length|etag|keep-alive|connection)$/

/** An answer with what it was asked about taken out. */
function told({ status, headers, body }: Answer, value: string): string {
  const kept = Object.entries(headers).filter(([name]) => !VOLATILE_HEADERS.test(name))
  let text = `${status} ${JSON.stringify(kept.sort())} ${body}`
  const spellings = [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)]
  for (const spelling of spellings) text = text.replaceAll(spelling, 'THING')
  for (const [pattern, plain] of VOLATILE) text = text.replaceAll(pattern, plain)
  return text
}

/** Asks with the thing and with its twin. @returns what is wrong with the answers */
async function compare(
  label: string,
  thing: Foreign,
  ask: (value: string) => Promise<Answer>,
): Promise<readonly string[]> {
  const [one, other] = [await ask(thing.value), await ask(thing.twin)]
  // What the stranger said itself is no news to it.
  heard.push(one.body.replaceAll(thing.value, ''))
  const [a, b] = [told(one, thing.value), told(other, thing.twin)]
  return a === b ? [] : [`${label} × ${thing.kind}:\n  ${a.slice(0, 400)}\n  ${b.slice(0, 400)}`]
}

const complaintsOf = async (
  label: string,
  asks: readonly (readonly [string, (value: string) => Promise<Answer>])[],
): Promise<readonly string[]> => {
  const found: string[] = []
  for (const [where, ask] of asks) {
    const all = theirs.things.map((thing) => compare(`${label} ${where}`, thing, ask))
    found.push(...(await Promise.all(all)).flat())
  }
  return found
}

describe('KMS', () => {
  test.each(modelledOperations)(
    '%s',
    async (operation) => {
      const shape = requestOf(operation)
      const usual = goodRequest(shape)
      const asks = membersOf(shape)
        .filter(([, name]) => ['string', 'blob', 'list'].includes(shapeOf(name).type))
        .map(([member, name]): [string, (value: string) => Promise<Answer>] => [
          member,
          (value) => {
            const put = shapeOf(name).type === 'list' ? [value] : value
            return callKms(stranger, operation, { ...usual, [member]: put })
          },
        ])
      expect(await complaintsOf(operation, asks)).toEqual([])
    },
    60_000,
  )
})

/** A query call of STS. */
const callSts = async (as: User, parameters: Record<string, string>): Promise<Answer> => {
  const body = new URLSearchParams({ Version: '2011-06-15', ...parameters }).toString()
  const raw = { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body }
  return send(as.endpoint, { headers: await signed(as, raw, { service: 'sts' }), body })
}
const callJson = async (service: string, target: string, input: object): Promise<Answer> => {
  const body = JSON.stringify(input)
  const raw = {
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
    body,
  }
  return send(stranger.endpoint, { headers: await signed(stranger, raw, { service }), body })
}

describe('STS', () => {
  const role = 'arn:aws:iam::444455556666:role/none'
  const calls: Readonly<Record<string, Record<string, string>>> = {
    AssumeRole: { RoleArn: role, RoleSessionName: 'one' },
    AssumeRoleWithWebIdentity: { RoleArn: role, RoleSessionName: 'one', WebIdentityToken: 'a.b.c' },
    GetAccessKeyInfo: { AccessKeyId: 'AKIAIOSFODNN7EXAMPLE' },
    GetCallerIdentity: {},
    GetSessionToken: { SerialNumber: 'arn', TokenCode: '123456' },
  }

  test('has no operation that is not walked', () => {
    const named = globSync('functions/sts/*.ts', { cwd: PROJECT })
      .map((file) => readFileSync(new URL(file, PROJECT), 'utf8'))
      .flatMap((source) => [...source.matchAll(/^ {2}name: '(\w+)',$/gm)].map(([, name]) => name))
      .filter((name) => name !== 'UnknownOperation')
    expect(Object.keys(calls)).toEqual(expect.arrayContaining([...new Set(named)]))
  })

  test.each(Object.entries(calls))('%s', async (Action, members) => {
    const asks = Object.keys(members)
      .filter((member) => member !== 'RoleSessionName')
      .map((member): [string, (value: string) => Promise<Answer>] => [
        member,
        (value) => callSts(stranger, { Action, ...members, [member]: value }),
      ])
    expect(await complaintsOf(Action, asks)).toEqual([])
  })
})

describe('CloudTrail', () => {
  const attributes = [
    'EventId',
    'EventName',
    'ReadOnly',
    'Username',
    'ResourceType',
    'ResourceName',
    'EventSource',
    'AccessKeyId',
  ]
  test('LookupEvents', async () => {
    const target = 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents'
    const asks = [
      ...attributes.map((AttributeKey): [string, (value: string) => Promise<Answer>] => [
        AttributeKey,
        (AttributeValue) =>
          callJson('cloudtrail', target, {
            LookupAttributes: [{ AttributeKey, AttributeValue }],
            EndTime: 1_700_000_000, // before anything, so that what the stranger does is not in it
          }),
      ]),
      ['NextToken', (NextToken: string) => callJson('cloudtrail', target, { NextToken })] as const,
    ]
    expect(await complaintsOf('LookupEvents', asks)).toEqual([])
  })
})

describe('tenants and principals', () => {
  const names = [
    ...new Set(
      globSync('functions/tenants/*.ts', { cwd: PROJECT })
        .map((file) => readFileSync(new URL(file, PROJECT), 'utf8'))
        .flatMap((source) =>
          [...source.matchAll(/\bserve\((\w+)\)/g)].map(([, name = '']) => name),
        ),
    ),
  ]
    .map((name) => name.charAt(0).toUpperCase() + name.slice(1))
    .filter((name) => name !== 'UnknownOperation')
  const keys = ['key id', 'key ARN', 'alias name', 'alias ARN']
  const principals = ['user ARN', 'role ARN', 'account id', 'user name', 'role name']
  const markers = ['marker', 'continuation token', 'session token']
  /** Names of members that the operations have, with what another tenant has of that kind. */
  const MEMBERS: Readonly<Record<string, readonly string[]>> = {
    AccessKeyId: ['access key id'],
    AccountId: ['account id'],
    EventId: ['event id', 'request id'],
    KeyId: keys,
    Marker: markers,
    NextToken: markers,
    ContinuationToken: markers,
    PermissionsBoundary: principals,
    PolicyArn: principals,
    PolicyName: principals,
    Principal: principals,
    PrincipalArn: principals,
    RequestId: ['event id', 'request id'],
    Resource: [...keys, 'bucket', 'object'],
    RoleName: principals,
    UserName: principals,
    GrantId: ['grant id'],
    Bucket: ['bucket'],
  }
  const policy = '{"Version":"2012-10-17","Statement":[]}'
  const usual = {
    UserName: 'admin',
    RoleName: 'nobody',
    PolicyName: 'none',
    PolicyDocument: policy,
    AssumeRolePolicyDocument: policy,
    AccessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    AccountId: '444455556666',
    Status: 'Inactive',
    Action: 'kms:Decrypt',
    Tags: [],
    TagKeys: [],
  }
  /** What is made under a name is made the first time only; the test after this one is about them. */
  const MAKERS = ['CreateUser', 'CreateRole', 'CreatePolicy', 'CreateAccessKey']

  test('there are operations', () => {
    expect(names.length).toBeGreaterThan(50)
    expect(names).toEqual(expect.arrayContaining(MAKERS))
  })

  test.each(names.filter((name) => !MAKERS.includes(name)))(
    '%s',
    async (name) => {
      const call = (member: string) => (value: string) =>
        callJson('keyhold', `Keyhold.${name}`, { ...usual, [member]: value })
      const found: string[] = []
      for (const [member, kinds] of Object.entries(MEMBERS)) {
        for (const thing of theirs.things.filter(({ kind }) => kinds.includes(kind))) {
          found.push(...(await compare(`${name} ${member}`, thing, call(member))))
        }
      }
      expect(found).toEqual([])
    },
    60_000,
  )

  test('a name that another tenant has is free', async () => {
    const named = theirs.things.find(({ kind }) => kind === 'user name')?.value ?? ''
    const made = await callJson('keyhold', 'Keyhold.CreateUser', { UserName: named })
    expect(made.status).toBe(200)
    expect(made.body).toContain('444455556666')
  })
})

describe('S3', () => {
  /** Method and query of every operation; what a request says beside its address. */
  const calls: Readonly<
    Record<string, readonly [string, 'bucket' | 'object', Record<string, string>, string?]>
  > = {
    AbortMultipartUpload: ['DELETE', 'object', { uploadId: 'THING' }],
    CompleteMultipartUpload: [
      'POST',
      'object',
      { uploadId: 'THING' },
      '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>',
    ],
    CopyObject: ['PUT', 'object', {}],
    CreateMultipartUpload: ['POST', 'object', { uploads: '' }],
    DeleteBucket: ['DELETE', 'bucket', {}],
    DeleteBucketCors: ['DELETE', 'bucket', { cors: '' }],
    DeleteBucketEncryption: ['DELETE', 'bucket', { encryption: '' }],
    DeleteBucketOwnershipControls: ['DELETE', 'bucket', { ownershipControls: '' }],
    DeleteBucketPolicy: ['DELETE', 'bucket', { policy: '' }],
    DeleteBucketTagging: ['DELETE', 'bucket', { tagging: '' }],
    DeleteObject: ['DELETE', 'object', {}],
    DeleteObjectTagging: ['DELETE', 'object', { tagging: '' }],
    DeleteObjects: [
      'POST',
      'bucket',
      { delete: '' },
      '<Delete><Object><Key>k</Key></Object></Delete>',
    ],
    DeletePublicAccessBlock: ['DELETE', 'bucket', { publicAccessBlock: '' }],
    GetBucketAccelerateConfiguration: ['GET', 'bucket', { accelerate: '' }],
    GetBucketAcl: ['GET', 'bucket', { acl: '' }],
    GetBucketCors: ['GET', 'bucket', { cors: '' }],
    GetBucketEncryption: ['GET', 'bucket', { encryption: '' }],
    GetBucketLifecycleConfiguration: ['GET', 'bucket', { lifecycle: '' }],
    GetBucketLocation: ['GET', 'bucket', { location: '' }],
    GetBucketLogging: ['GET', 'bucket', { logging: '' }],
    GetBucketNotificationConfiguration: ['GET', 'bucket', { notification: '' }],
    GetBucketOwnershipControls: ['GET', 'bucket', { ownershipControls: '' }],
    GetBucketPolicy: ['GET', 'bucket', { policy: '' }],
    GetBucketPolicyStatus: ['GET', 'bucket', { policyStatus: '' }],
    GetBucketReplication: ['GET', 'bucket', { replication: '' }],
    GetBucketRequestPayment: ['GET', 'bucket', { requestPayment: '' }],
    GetBucketTagging: ['GET', 'bucket', { tagging: '' }],
    GetBucketVersioning: ['GET', 'bucket', { versioning: '' }],
    GetBucketWebsite: ['GET', 'bucket', { website: '' }],
    GetObject: ['GET', 'object', {}],
    GetObjectAcl: ['GET', 'object', { acl: '' }],
    GetObjectAttributes: ['GET', 'object', { attributes: '' }],
    GetObjectLockConfiguration: ['GET', 'bucket', { 'object-lock': '' }],
    GetObjectTagging: ['GET', 'object', { tagging: '' }],
    GetPublicAccessBlock: ['GET', 'bucket', { publicAccessBlock: '' }],
    HeadBucket: ['HEAD', 'bucket', {}],
    HeadObject: ['HEAD', 'object', {}],
    ListMultipartUploads: [
      'GET',
      'bucket',
      { uploads: '', 'key-marker': 'THING', 'upload-id-marker': 'THING' },
    ],
    ListObjectVersions: ['GET', 'bucket', { versions: '', 'key-marker': 'THING' }],
    ListObjects: ['GET', 'bucket', { marker: 'THING' }],
    ListObjectsV2: ['GET', 'bucket', { 'list-type': '2', 'continuation-token': 'THING' }],
    ListParts: ['GET', 'object', { uploadId: 'THING' }],
    PutBucketAcl: ['PUT', 'bucket', { acl: '' }],
    PutBucketCors: ['PUT', 'bucket', { cors: '' }, '<CORSConfiguration/>'],
    PutBucketEncryption: ['PUT', 'bucket', { encryption: '' }, '<x/>'],
    PutBucketOwnershipControls: ['PUT', 'bucket', { ownershipControls: '' }, '<x/>'],
    PutBucketPolicy: ['PUT', 'bucket', { policy: '' }, '{}'],
    PutBucketTagging: ['PUT', 'bucket', { tagging: '' }, '<x/>'],
    PutObject: ['PUT', 'object', {}, 'x'],
    PutObjectAcl: ['PUT', 'object', { acl: '' }],
    PutObjectTagging: ['PUT', 'object', { tagging: '' }, '<x/>'],
    PutPublicAccessBlock: ['PUT', 'bucket', { publicAccessBlock: '' }, '<x/>'],
    AdoptDirectPart: [
      'PUT',
      'object',
      { 'keyhold-direct': '', partNumber: '1', uploadId: 'THING' },
      '{}',
    ],
    PrepareDirectPart: [
      'POST',
      'object',
      { 'keyhold-direct': '', partNumber: '1', uploadId: 'THING' },
      '{"Size":1}',
    ],
    UploadPart: ['PUT', 'object', { partNumber: '1', uploadId: 'THING' }, 'x'],
    UploadPartCopy: ['PUT', 'object', { partNumber: '1', uploadId: 'THING' }],
  }
  /** What is about no bucket that is there, or is walked elsewhere. */
  const APART = ['CreateBucket', 'ListBuckets', 'PostObject']

  test('has no operation that is not walked', async () => {
    const routed = (await readFunctions())
      .flatMap(({ events }) =>
        events.map(({ http }) => (typeof http === 'object' ? http.path : '')),
      )
      .map((path) => /^\/s3\/([A-Z]\w+)$/.exec(path)?.[1])
    const settings = readFileSync(new URL('infra/edge/s3-operation.ts', PROJECT), 'utf8')
    const named = [...settings.matchAll(/^ {2}'(?:bucket|object) [A-Z]+ [\w-]+': '(\w+)',$/gm)]
    const offered = [...routed, ...named.map(([, name]) => name)].filter(
      (name) => name !== undefined,
    )
    const unoffered = ['CreateSession', 'RestoreObject', 'SelectObjectContent']
    const missing = [...new Set(offered)].filter(
      (name) => ![...Object.keys(calls), ...APART, ...unoffered].includes(name),
    )
    expect(missing).toEqual([])
  })

  const sourceOf = (value: string): string =>
    value.startsWith('mark-bucket') ? `${value}/${theirs.object}` : `${theirs.bucket}/${value}`
  const mine = 'stranger-own-bucket'
  beforeAll(() => sendRaw(asStack(), { method: 'PUT', path: `/${mine}` }))

  const asStack = () => ({ ...stranger, account: stranger.account, dataDir: '' }) as never

  test.each(Object.entries(calls))(
    '%s',
    async (name, [method, level, query, body]) => {
      const ask =
        (bucket: (value: string) => string, key: (value: string) => string) =>
        async (value: string): Promise<Answer> => {
          const path = `/${encodeURIComponent(bucket(value))}${level === 'object' ? `/${encodeURIComponent(key(value))}` : ''}`
          const filled = Object.fromEntries(
            Object.entries(query).map(([parameter, text]) => [
              parameter,
              text === 'THING' ? value : text,
            ]),
          )
          const isCopy = name.endsWith('Copy') || name === 'CopyObject'
          const headers: Record<string, string> = {
            ...(isCopy ? { 'x-amz-copy-source': encodeURIComponent(sourceOf(value)) } : {}),
            ...(name === 'GetObjectAttributes' ? { 'x-amz-object-attributes': 'ETag' } : {}),
          }
          const raw = {
            method,
            path,
            query: filled,
            headers,
            ...(body ? { body: Buffer.from(body) } : {}),
          }
          const answer = await sendRaw(asStack(), raw)
          return { status: answer.status, headers: answer.headers, body: answer.body.toString() }
        }
      const inBucket = ask(
        (value) => value,
        () => theirs.object,
      )
      expect(await complaintsOf(`${name} in the bucket`, [['', inBucket]])).toEqual([])
      // A name that is written in an own bucket is the stranger's own.
      if (level === 'bucket' || ['PutObject', 'CreateMultipartUpload'].includes(name)) return
      const ofObject = ask(
        () => mine,
        (value) => value,
      )
      expect(await complaintsOf(`${name} of the object`, [['', ofObject]])).toEqual([])
    },
    60_000,
  )

  test('ListBuckets tells of none but the own', async () => {
    const answer = await sendRaw(asStack(), { method: 'GET', path: '/' })
    expect(answer.body.toString()).not.toContain(theirs.bucket)
  })

  test('a bucket of the same name is another bucket', async () => {
    const path = `/${theirs.bucket}`
    expect((await sendRaw(asStack(), { method: 'PUT', path })).status).toBe(200)
    const read = await sendRaw(asStack(), { method: 'GET', path: `${path}/${theirs.object}` })
    expect(read.status).toBe(404)
    expect((await sendRaw(asStack(), { method: 'DELETE', path })).status).toBe(204)
  })
})

describe('a session token of another tenant', () => {
  test('is worth nothing beside own keys, and own tokens beside its keys', async () => {
    const { sessionToken = '' } = theirs.session.credentials
    const mixed = { ...stranger.credentials, sessionToken }
    for (const credentials of [
      mixed,
      { ...theirs.session.credentials, secretAccessKey: 'guessed' },
    ]) {
      const answer = await callKms({ ...stranger, credentials }, 'ListKeys', {})
      expect([answer.status, answer.body.includes('Keys')]).toEqual([400, false])
      heard.push(answer.body)
    }
  })
})

describe('when all of that was asked', () => {
  /** What the stranger never said itself, so that nothing of it is an echo. */
  const unsaid = (): readonly string[] => {
    const marks = theirs.marks.filter(
      (mark) => !theirs.things.some(({ value }) => value.includes(mark)),
    )
    expect(marks.length).toBeGreaterThanOrEqual(5)
    return marks
  }

  test('nothing of the other tenant was in any answer', () => {
    expect(heard.length).toBeGreaterThan(5000)
    for (const mark of unsaid()) {
      expect(heard.filter((body) => body.includes(mark)).slice(0, 3)).toEqual([])
    }
  })

  test('the other tenant has what it had', async () => {
    expect(await stateOf()).toEqual(before)
  })

  test("nothing that was not said by the stranger is in the stranger's records", async () => {
    const records = await recordsOf(stack.services, stranger.account)
    expect(records.length).toBeGreaterThan(1000)
    for (const mark of unsaid()) {
      expect(records.filter((record) => JSON.stringify(record).includes(mark))).toEqual([])
    }
  })

  test("no call of the stranger is in the other tenant's records", async () => {
    const records = await recordsOf(stack.services, stack.admin.account)
    const foreign = records.filter((record) =>
      JSON.stringify(record.userIdentity).includes('444455556666'),
    )
    expect(foreign).toEqual([])
  })
})
