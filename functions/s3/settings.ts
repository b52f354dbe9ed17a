/** The function that answers for all settings of buckets, for tags of objects, and for what few clients ask. */
import type { S3Operation } from '../../shared/lambda/s3-operation.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import { configurationsNeverSet } from './configurations-never-set.ts'
import { deleteBucketCors } from './delete-bucket-cors.ts'
import { deleteBucketEncryption } from './delete-bucket-encryption.ts'
import { deleteBucketOwnershipControls } from './delete-bucket-ownership-controls.ts'
import { deleteBucketPolicy } from './delete-bucket-policy.ts'
import { deleteBucketTagging } from './delete-bucket-tagging.ts'
import { deleteObjectTagging } from './delete-object-tagging.ts'
import { deletePublicAccessBlock } from './delete-public-access-block.ts'
import { adoptDirectPart, prepareDirectPart } from './direct-part.ts'
import { getBucketAcl } from './get-bucket-acl.ts'
import { getBucketCors } from './get-bucket-cors.ts'
import { getBucketEncryption } from './get-bucket-encryption.ts'
import { getBucketLocation } from './get-bucket-location.ts'
import { getBucketOwnershipControls } from './get-bucket-ownership-controls.ts'
import { getBucketPolicy } from './get-bucket-policy.ts'
import { getBucketPolicyStatus } from './get-bucket-policy-status.ts'
import { getBucketTagging } from './get-bucket-tagging.ts'
import { getObjectAcl } from './get-object-acl.ts'
import { getObjectAttributes } from './get-object-attributes.ts'
import { getObjectTagging } from './get-object-tagging.ts'
import { getPublicAccessBlock } from './get-public-access-block.ts'
import { listObjectVersions } from './list-object-versions.ts'
import { listObjects } from './list-objects.ts'
import { notImplemented } from './not-implemented.ts'
import { putBucketAcl } from './put-bucket-acl.ts'
import { putBucketCors } from './put-bucket-cors.ts'
import { putBucketEncryption } from './put-bucket-encryption.ts'
import { putBucketOwnershipControls } from './put-bucket-ownership-controls.ts'
import { putBucketPolicy } from './put-bucket-policy.ts'
import { putBucketTagging } from './put-bucket-tagging.ts'
import { putObjectAcl } from './put-object-acl.ts'
import { putObjectTagging } from './put-object-tagging.ts'
import { putPublicAccessBlock } from './put-public-access-block.ts'

const operations: readonly S3Operation[] = [
  ...configurationsNeverSet,
  adoptDirectPart,
  deleteBucketCors,
  deleteBucketEncryption,
  deleteBucketOwnershipControls,
  deleteBucketPolicy,
  deleteBucketTagging,
  deleteObjectTagging,
  deletePublicAccessBlock,
  getBucketAcl,
  getBucketCors,
  getBucketEncryption,
  getBucketLocation,
  getBucketOwnershipControls,
  getBucketPolicy,
  getBucketPolicyStatus,
  getBucketTagging,
  getObjectAcl,
  getObjectAttributes,
  getObjectTagging,
  getPublicAccessBlock,
  listObjectVersions,
  listObjects,
  prepareDirectPart,
  putBucketAcl,
  putBucketCors,
  putBucketEncryption,
  putBucketOwnershipControls,
  putBucketPolicy,
  putBucketTagging,
  putObjectAcl,
  putObjectTagging,
  putPublicAccessBlock,
]
const byName = new Map(operations.map((operation) => [operation.name, operation]))

export const handler = s3Handler(({ operation }) => {
  const name = operation ?? 'UnknownOperation'
  return byName.get(name) ?? notImplemented(name)
})
