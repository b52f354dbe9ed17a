/** What a bucket may be called (Amazon S3 User Guide, "General purpose bucket naming rules"). */
import { S3Error } from '../blobs/s3-error.ts'

const ALLOWED = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const ADDRESS = /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/
const RESERVED_PREFIXES = ['xn--', 'sthree-', 'amzn-s3-demo-']
const RESERVED_SUFFIXES = ['-s3alias', '--ol-s3', '.mrap', '--x-s3', '--table-s3']

/** Whether a bucket may be called so. */
export const isBucketName = (name: string): boolean =>
  ALLOWED.test(name) &&
  !name.includes('..') &&
  !ADDRESS.test(name) &&
  !RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix)) &&
  !RESERVED_SUFFIXES.some((suffix) => name.endsWith(suffix))

/** @throws S3Error InvalidBucketName */
export function requireBucketName(name: string): void {
  if (isBucketName(name)) return
  throw new S3Error('InvalidBucketName', 'The specified bucket is not valid.', {
    BucketName: name,
  })
}
