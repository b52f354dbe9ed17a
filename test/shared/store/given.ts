/** Valid records; a test shows the one thing that differs. */

import {
  type AccountId,
  aliasNameOf,
  bucketNameOf,
  type KeyId,
  parseAccessKeyId,
  parseAccountId,
  parseKeyId,
  parseMaterialId,
  parseRegion,
  principalIdOf,
} from '../../../shared/ids.ts'
import { grantIdOf } from '../../../shared/store/grant-rows.ts'
import type {
  AccessKeyRecord,
  AliasRecord,
  BucketRecord,
  GrantRecord,
  KeyBundle,
  KeyRecord,
  LedgerBlockRecord,
  ManagedPolicyRecord,
  MaterialRecord,
  ObjectRecord,
  PartRecord,
  PrincipalRecord,
  RoleRecord,
  TenantKeyRecord,
  TenantRecord,
  UploadRecord,
} from '../../../shared/store/records.ts'
import { freshTenant, freshUser } from '../../../shared/tenants/principal.ts'

export function must<Value>(value: Value | null): Value {
  if (value === null) throw new Error('A test names something that is not well-formed.')
  return value
}

let accounts = 100_000_000_000

/** An account of the test's own, so that tests do not see each other's rows. */
export const givenAccount = (): AccountId => must(parseAccountId(String(++accounts)))

export const region = must(parseRegion('eu-central-1'))
export const otherRegion = must(parseRegion('us-east-1'))

/** @param number - 0 to 4,294,967,295; key ids of growing numbers sort in their order */
export const keyIdOf = (number: number): KeyId =>
  must(parseKeyId(`${number.toString(16).padStart(8, '0')}-12ab-34cd-56ef-1234567890ab`))

export const bytesOf = (length: number, first = 0): Uint8Array =>
  Buffer.from(Array.from({ length }, (_, at) => (first + at) % 256))

export const materialIdOf = (digit: string) => must(parseMaterialId(digit.repeat(64)))

export const givenTenant = (account: AccountId): TenantRecord =>
  freshTenant({ account, name: 'payments', createdAt: 1_795_000_000_000 })

export const givenTenantKey = (account: AccountId, version = 1): TenantKeyRecord => ({
  account,
  version,
  rootKeyId: 'software:4f',
  sealed: bytesOf(60, version),
  createdAt: 1_795_000_000_000,
})

export const givenPrincipal = (account: AccountId, name = 'admin'): PrincipalRecord =>
  freshUser({
    account,
    principalId: principalIdOf(`AIDA${name.toUpperCase()}`),
    name,
    policies: [{ name: 'AdministratorAccess', document: '{"Version":"2012-10-17"}' }],
    createdAt: 1_795_000_000_000,
  })

export const givenRole = (account: AccountId, name = 'deploy'): RoleRecord => ({
  ...givenPrincipal(account, name),
  principalId: principalIdOf(`AROA${name.toUpperCase()}`),
  kind: 'Role',
  description: '',
  trustPolicy: '{}',
  maxSessionSeconds: 3600,
})

export const givenManagedPolicy = (account: AccountId, name = 'ledger'): ManagedPolicyRecord => ({
  account,
  policyId: 'ANPAEXAMPLE',
  name,
  path: '/',
  description: '',
  versions: [{ versionId: 'v1', document: '{}', createdAt: 1 }],
  defaultVersionId: 'v1',
  tags: [],
  createdAt: 1,
  rev: 1,
})

export const givenAccessKey = (account: AccountId, id = `AKIA${account}`): AccessKeyRecord => ({
  accessKeyId: must(parseAccessKeyId(id)),
  account,
  principalId: principalIdOf('AIDAADMIN'),
  status: 'Active',
  wrappedSecret: bytesOf(100),
  tenantKeyVersion: 1,
  createdAt: 1_795_000_000_000,
  rev: 1,
})

export const givenKey = (account: AccountId, keyId = keyIdOf(1)) =>
  ({
    account,
    region,
    keyId,
    createdAt: 1_795_000_000_000,
    description: '',
    keySpec: 'SYMMETRIC_DEFAULT',
    keyUsage: 'ENCRYPT_DECRYPT',
    origin: 'AWS_KMS',
    manager: 'CUSTOMER',
    multiRegion: false,
    creatingUntil: null,
    identityKey: null,
    tags: [{ TagKey: '__proto__', TagValue: '' }],
    stateEpoch: 1,
    rev: 1,
    state: 'Enabled',
    current: materialIdOf('a'),
  }) as const satisfies KeyRecord

export const givenMaterial = (account: AccountId, keyId = keyIdOf(1), number = 1) =>
  ({
    account,
    region,
    keyId,
    number,
    materialId: materialIdOf('a'),
    wrapped: bytesOf(60, number),
    tenantKeyVersion: 1,
    createdAt: 1_795_000_000_000,
    rotation: null,
    imported: null,
    rev: 1,
  }) satisfies MaterialRecord

export const givenBundle = (account: AccountId, keyId = keyIdOf(1)): KeyBundle => ({
  key: givenKey(account, keyId),
  policy: { document: '{"Statement":[]}', rev: 1 },
  materials: [givenMaterial(account, keyId)],
  rotation: null,
  lastUsage: null,
  related: null,
})

/** A grant for a user of the account, but for what differs. */
export function givenGrant(account: AccountId, differs: Partial<GrantRecord> = {}): GrantRecord {
  const grantee = differs.grantee ?? `${account}/AIDAADA`
  const of = { account, region, keyId: differs.keyId ?? keyIdOf(1) }
  return {
    ...of,
    grantId: grantIdOf(of, grantee, '1'.repeat(40)),
    name: 'nightly',
    createdAt: 1_795_000_000_000,
    issuingAccount: account,
    grantee,
    retiring: null,
    operations: ['Decrypt', 'CreateGrant'],
    constraints: { encryptionContextSubset: JSON.parse('{"__proto__":"","a":"b"}') },
    breakGlassUntil: null,
    ...differs,
  }
}

export const givenAlias = (account: AccountId, name: string, keyId = keyIdOf(1)): AliasRecord => ({
  account,
  region,
  aliasName: aliasNameOf(`alias/${name}`),
  targetKeyId: keyId,
  createdAt: 1_795_000_000_000,
  updatedAt: 1_795_000_000_000,
  rev: 1,
})

/** 2026-11-23T00:00:00Z */
export const DAY_START = Date.UTC(2026, 10, 23)

export const givenBlock = (account: AccountId, sequence: number): LedgerBlockRecord => ({
  account,
  region,
  shard: 'shard-a',
  sequence,
  writtenAt: DAY_START + sequence,
  previousHash: bytesOf(32),
  hash: bytesOf(32, sequence),
  count: 1,
  records: Buffer.from('{"eventName":"Encrypt"}'),
})

export const bucketName = bucketNameOf('ledgers')

export const givenBucket = (account: AccountId, bucket = 'ledgers'): BucketRecord => ({
  account,
  bucket: bucketNameOf(bucket),
  region,
  policy: null,
  settings: {},
  createdAt: 1_795_000_000_000,
  rev: 1,
})

export const givenPart = (partNumber: number): PartRecord => ({
  partNumber,
  blob: `blob-${partNumber}`,
  salt: bytesOf(32, partNumber),
  commitment: bytesOf(32, partNumber + 7),
  size: 8_388_608,
  etag: '9b2cf535f27731c974343645a3985328',
  checksums: { CRC32: 'AAAAAA==' },
  createdAt: 1_795_000_000_000,
})

export const givenParts = (count: number): PartRecord[] =>
  Array.from({ length: count }, (_, at) => givenPart(at + 1))

export const givenObject = (account: AccountId, key: string, rev = 1): ObjectRecord => ({
  account,
  bucket: bucketName,
  key,
  versionId: `version-${rev}`,
  size: 5,
  etag: '9b2cf535f27731c974343645a3985328',
  createdAt: 1_795_000_000_000,
  systemMetadata: { 'content-type': 'text/plain' },
  userMetadata: JSON.parse('{"__proto__":"","constructor":"x"}'),
  checksums: { CRC64NVME: 'AAAAAAAAAAA=' },
  checksumType: 'FULL_OBJECT',
  encryption: { mode: 'SSE-S3', tenantKeyVersion: 1, wrappedObjectKey: bytesOf(60) },
  parts: [givenPart(1)],
  multipart: false,
  manifestTag: bytesOf(32),
  tags: { team: 'ledgers' },
  rev,
})

export const givenUpload = (account: AccountId, uploadId = 'upload-1'): UploadRecord => ({
  account,
  bucket: bucketName,
  key: 'big.bin',
  uploadId,
  createdAt: 1_795_000_000_000,
  systemMetadata: {},
  userMetadata: {},
  checksumAlgorithm: null,
  checksumType: null,
  encryption: {
    mode: 'SSE-KMS',
    keyArn: `arn:aws:kms:eu-central-1:${account}:key/${keyIdOf(1)}`,
    dataKeyBlob: bytesOf(180),
    encryptionContext: { '': '', purpose: 'test' },
    bucketKey: true,
    wrappedObjectKey: bytesOf(60),
  },
  completion: { tenantKeyVersion: 1, wrappedManifestKey: bytesOf(60) },
  tags: { team: 'ledgers' },
  versionId: 'version-1',
  completedEtag: null,
  fence: null,
  rev: 1,
})
