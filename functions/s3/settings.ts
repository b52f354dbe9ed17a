/** The function that answers for all settings of buckets and for tags of objects. */
import type { S3Operation } from '../../shared/lambda/s3-operation.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import { deleteBucketEncryption } from './delete-bucket-encryption.ts'
import { deleteBucketPolicy } from './delete-bucket-policy.ts'
import { getBucketEncryption } from './get-bucket-encryption.ts'
import { getBucketPolicy } from './get-bucket-policy.ts'
import { getBucketPolicyStatus } from './get-bucket-policy-status.ts'
import { notImplemented } from './not-implemented.ts'
import { putBucketEncryption } from './put-bucket-encryption.ts'
import { putBucketPolicy } from './put-bucket-policy.ts'

const operations: readonly S3Operation[] = [
  deleteBucketEncryption,
  deleteBucketPolicy,
  getBucketEncryption,
  getBucketPolicy,
  getBucketPolicyStatus,
  putBucketEncryption,
  putBucketPolicy,
]
const byName = new Map(operations.map((operation) => [operation.name, operation]))

export const handler = s3Handler(({ operation }) => {
  const name = operation ?? 'UnknownOperation'
  return byName.get(name) ?? notImplemented(name)
})
