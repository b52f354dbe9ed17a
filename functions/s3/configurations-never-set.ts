/**
 * Configurations that S3 has and a bucket here never does. Tools that compare what is with what
 * should be (Terraform reads them all) get the answers of a bucket for which nothing was set; what
 * would set them is refused by its name.
 */
import { S3Error, type S3ErrorCode } from '../../shared/blobs/s3-error.ts'
import { xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import { bucketOperation, type S3Operation } from '../../shared/lambda/s3-operation.ts'
import { type XmlContent, xmlDocument } from '../../shared/lambda/s3-xml.ts'

const missing = (name: string, action: string, code: S3ErrorCode, text: string): S3Operation =>
  bucketOperation({
    name,
    action,
    readOnly: true,
    async run({ bucket }) {
      throw new S3Error(code, text, { BucketName: bucket })
    },
  })

const empty = (name: string, action: string, root: string, content: XmlContent = {}): S3Operation =>
  bucketOperation({
    name,
    action,
    readOnly: true,
    run: async () => xmlAnswer(xmlDocument(root, content)),
  })

export const configurationsNeverSet: readonly S3Operation[] = [
  empty('GetBucketVersioning', 's3:GetBucketVersioning', 'VersioningConfiguration'),
  empty('GetBucketLogging', 's3:GetBucketLogging', 'BucketLoggingStatus'),
  empty(
    'GetBucketNotificationConfiguration',
    's3:GetBucketNotification',
    'NotificationConfiguration',
  ),
  empty(
    'GetBucketAccelerateConfiguration',
    's3:GetAccelerateConfiguration',
    'AccelerateConfiguration',
  ),
  empty('GetBucketRequestPayment', 's3:GetBucketRequestPayment', 'RequestPaymentConfiguration', {
    Payer: 'BucketOwner',
  }),
  missing(
    'GetBucketLifecycleConfiguration',
    's3:GetLifecycleConfiguration',
    'NoSuchLifecycleConfiguration',
    'The lifecycle configuration does not exist',
  ),
  missing(
    'GetBucketWebsite',
    's3:GetBucketWebsite',
    'NoSuchWebsiteConfiguration',
    'The specified bucket does not have a website configuration',
  ),
  missing(
    'GetBucketReplication',
    's3:GetReplicationConfiguration',
    'ReplicationConfigurationNotFoundError',
    'The replication configuration was not found',
  ),
  missing(
    'GetObjectLockConfiguration',
    's3:GetBucketObjectLockConfiguration',
    'ObjectLockConfigurationNotFoundError',
    'Object Lock configuration does not exist for this bucket',
  ),
]
