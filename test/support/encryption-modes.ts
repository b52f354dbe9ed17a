/** The ways of encryption that a test walks, as the SDK's commands ask for them. */
import { createHash, randomBytes } from 'node:crypto'
import { PutBucketEncryptionCommand, type S3Client } from '@aws-sdk/client-s3'

/** What goes with a write, and what goes with the reads and the parts of it. */
export interface Asked {
  readonly write: Readonly<Record<string, string | boolean>>
  readonly read: Readonly<Record<string, string>>
}

export const MODES = ['SSE-S3', 'SSE-KMS', 'bucket key', 'DSSE-KMS', 'SSE-C'] as const
export type ModeName = (typeof MODES)[number]

/** @returns the three fields of a caller's key */
export function customerKey(key: Uint8Array = randomBytes(32)): Record<string, string> {
  return {
    SSECustomerAlgorithm: 'AES256',
    SSECustomerKey: Buffer.from(key).toString('base64'),
    SSECustomerKeyMD5: createHash('md5').update(key).digest('base64'),
  }
}

export function asked(mode: ModeName): Asked {
  switch (mode) {
    case 'SSE-S3':
      return { write: { ServerSideEncryption: 'AES256' }, read: {} }
    case 'SSE-KMS':
      return { write: { ServerSideEncryption: 'aws:kms' }, read: {} }
    case 'bucket key':
      return { write: { ServerSideEncryption: 'aws:kms', BucketKeyEnabled: true }, read: {} }
    case 'DSSE-KMS':
      return { write: { ServerSideEncryption: 'aws:kms:dsse' }, read: {} }
    case 'SSE-C': {
      const trio = customerKey()
      return { write: trio, read: trio }
    }
    default:
      return mode satisfies never
  }
}

/** Lets a bucket take keys of callers, as it does not from the start. */
export async function allowCustomerKeys(s3: S3Client, Bucket: string): Promise<void> {
  await s3.send(
    new PutBucketEncryptionCommand({
      Bucket,
      ServerSideEncryptionConfiguration: {
        Rules: [{ BlockedEncryptionTypes: { EncryptionType: ['NONE'] } }],
      },
    }),
  )
}
