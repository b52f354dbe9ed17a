/** What one tenant has and another must not reach, each with a twin: a thing of the same form that nobody has. */
import { randomBytes, randomUUID } from 'node:crypto'
import {
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  EncryptCommand,
  GetParametersForImportCommand,
  ListKeysCommand,
  RevokeGrantCommand,
} from '@aws-sdk/client-kms'
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { kmsClient } from '../support/kms.ts'
import { recordsOf } from '../support/ledger-records.ts'
import { assumed, givenRole, s3Of, trusting } from '../support/sessions.ts'
import type { TenantsStack, User } from '../support/tenants-stack.ts'

export interface Foreign {
  /** `key id`, `grant token`, … */
  readonly kind: string
  /** What the other tenant has. */
  readonly value: string
  /** What nobody has. */
  readonly twin: string
}

export interface OtherTenant {
  readonly things: readonly Foreign[]
  /** Texts that appear in what the tenant has and that nobody else may ever see. */
  readonly marks: readonly string[]
  readonly bucket: string
  readonly object: string
  readonly uploadId: string
  readonly session: User & { readonly credentials: { readonly sessionToken?: string } }
}

const mark = (of: string): string => `mark-${of}-${randomBytes(6).toString('hex')}`

/** Sets up a tenant with one of everything. */
export async function givenOtherTenant(stack: TenantsStack): Promise<OtherTenant> {
  const { admin } = stack
  const kms = kmsClient(admin)
  const marks = {
    description: mark('description'),
    tag: mark('tag'),
    user: mark('user'),
    role: mark('role'),
    bucket: `mark-bucket-${randomBytes(6).toString('hex')}`,
    object: mark('object'),
    content: mark('content'),
    alias: mark('alias'),
    grant: mark('grant'),
    context: mark('context'),
  }
  const { KeyMetadata } = await kms.send(
    new CreateKeyCommand({
      Description: marks.description,
      Tags: [{ TagKey: marks.tag, TagValue: marks.tag }],
    }),
  )
  const { KeyId: keyId = '', Arn: keyArn = '' } = KeyMetadata ?? {}
  const alias = `alias/${marks.alias}`
  await kms.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: keyId }))
  const { CiphertextBlob } = await kms.send(
    new EncryptCommand({
      KeyId: keyId,
      Plaintext: Buffer.from(marks.content),
      EncryptionContext: { of: marks.context },
    }),
  )
  const { GrantId = '', GrantToken = '' } = await kms.send(
    new CreateGrantCommand({
      KeyId: keyId,
      Name: marks.grant,
      GranteePrincipal: admin.arn,
      Operations: ['Encrypt', 'Decrypt'],
    }),
  )
  // A token is for whoever holds it to bring, so it cannot hide that it is genuine; its twin was too.
  const revoked = await untilLike(GrantToken, async () => {
    const grant = { KeyId: keyId, GranteePrincipal: admin.arn, Operations: ['Encrypt' as const] }
    const made = await kms.send(new CreateGrantCommand(grant))
    await kms.send(new RevokeGrantCommand({ KeyId: keyId, GrantId: made.GrantId ?? '' }))
    return made.GrantToken ?? ''
  })
  const external = await kms.send(new CreateKeyCommand({ Origin: 'EXTERNAL' }))
  const { ImportToken } = await kms.send(
    new GetParametersForImportCommand({
      KeyId: external.KeyMetadata?.KeyId,
      WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
      WrappingKeySpec: 'RSA_2048',
    }),
  )
  const { NextMarker = '' } = await kms.send(new ListKeysCommand({ Limit: 1 }))
  const alice = await stack.user(admin.account, marks.user)
  const trust = [trusting({ AWS: admin.arn })]
  const role = await givenRole(stack, admin.account, marks.role, trust)
  const session = await assumed(admin, role.arn)
  const s3 = s3Of(admin)
  await s3.send(new CreateBucketCommand({ Bucket: marks.bucket }))
  for (const Key of [marks.object, `${marks.object}-2`]) {
    await s3.send(new PutObjectCommand({ Bucket: marks.bucket, Key, Body: marks.content }))
  }
  const { NextContinuationToken = '' } = await s3.send(
    new ListObjectsV2Command({ Bucket: marks.bucket, MaxKeys: 1 }),
  )
  const { UploadId = '' } = await s3.send(
    new CreateMultipartUploadCommand({ Bucket: marks.bucket, Key: marks.object }),
  )
  await s3.send(
    new UploadPartCommand({
      Bucket: marks.bucket,
      Key: marks.object,
      UploadId,
      PartNumber: 1,
      Body: marks.content,
    }),
  )
  const [record] = await recordsOfKey(stack, keyId)
  const blob = Buffer.from(CiphertextBlob ?? [])
  let absentId = ''
  const ofAbsent = await untilLike(blob.toString('base64'), async () => {
    absentId = randomUUID()
    return withOtherKey(blob, keyId, absentId).toString('base64')
  })
  const things: Foreign[] = [
    { kind: 'key id', value: keyId, twin: absentId },
    { kind: 'key ARN', value: keyArn, twin: keyArn.replace(keyId, absentId) },
    { kind: 'alias name', value: alias, twin: `alias/${mark('alias')}` },
    {
      kind: 'alias ARN',
      value: keyArn.replace(`key/${keyId}`, alias),
      twin: keyArn.replace(`key/${keyId}`, `alias/${mark('alias')}`),
    },
    { kind: 'grant id', value: GrantId, twin: randomBytes(32).toString('hex') },
    { kind: 'grant token', value: GrantToken, twin: revoked },
    { kind: 'marker', value: NextMarker, twin: likeness(NextMarker) },
    {
      kind: 'ciphertext blob',
      value: blob.toString('base64'),
      twin: ofAbsent,
    },
    {
      kind: 'import token',
      value: Buffer.from(ImportToken ?? []).toString('base64'),
      twin: likeness(Buffer.from(ImportToken ?? []).toString('base64')),
    },
    { kind: 'upload id', value: UploadId, twin: likeness(UploadId) },
    { kind: 'bucket', value: marks.bucket, twin: `mark-bucket-${randomBytes(6).toString('hex')}` },
    { kind: 'object', value: marks.object, twin: mark('object') },
    {
      kind: 'continuation token',
      value: NextContinuationToken,
      twin: likeness(NextContinuationToken),
    },
    { kind: 'user name', value: marks.user, twin: mark('user') },
    { kind: 'user ARN', value: alice.arn, twin: alice.arn.replace(marks.user, mark('user')) },
    { kind: 'role name', value: marks.role, twin: mark('role') },
    { kind: 'role ARN', value: role.arn, twin: role.arn.replace(marks.role, mark('role')) },
    { kind: 'access key id', value: alice.credentials.accessKeyId, twin: `AKIA${base32(16)}` },
    { kind: 'account id', value: admin.account, twin: '999988887777' },
    { kind: 'event id', value: record?.eventID ?? '', twin: randomUUID() },
    { kind: 'request id', value: record?.requestID ?? '', twin: randomUUID() },
    {
      kind: 'session token',
      value: session.credentials.sessionToken ?? '',
      twin: likeness(session.credentials.sessionToken ?? ''),
    },
  ]
  return {
    things,
    marks: Object.values(marks),
    bucket: marks.bucket,
    object: marks.object,
    uploadId: UploadId,
    session,
  }
}

async function recordsOfKey({ services, admin }: TenantsStack, keyId: string) {
  const records = await recordsOf(services, admin.account)
  return records.filter((record) => JSON.stringify(record).includes(keyId))
}

/** Makes a text until it has the special characters that the other has, so that both pass the same patterns. */
async function untilLike(text: string, make: () => Promise<string>): Promise<string> {
  const specials = (of: string): string =>
    ['+', '/', '=', '-', '_'].filter((character) => of.includes(character)).join('')
  for (let attempt = 0; attempt < 100; attempt++) {
    const made = await make()
    if (specials(made) === specials(text)) return made
  }
  throw new Error('No text is like the other.')
}

/** A text of the same length and alphabet that nobody was given: from its middle on it is another. */
function likeness(text: string): string {
  const half = Math.floor(text.length / 2)
  const other = text
    .slice(half, -4)
    .replaceAll(/[A-Za-z]/g, (letter) => (letter === 'q' ? 'r' : 'q'))
  return text.slice(0, half) + other + text.slice(-4)
}

/** The same blob as if it was of a key that there is not. */
function withOtherKey(blob: Buffer, keyId: string, other: string): Buffer {
  const bytesOf = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex')
  const changed = Buffer.from(blob)
  const at = changed.indexOf(bytesOf(keyId))
  if (at === -1) throw new Error('The blob does not say its key.')
  changed.set(bytesOf(other), at)
  return changed
}

const base32 = (length: number): string =>
  Array.from(randomBytes(length), (byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[byte % 32]).join('')
