import { S3Error } from '../../shared/blobs/s3-error.ts'
import { accountOperation, type S3Operation } from '../../shared/lambda/s3-operation.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'

/** What every operation that is not offered leads to; the edge has named it. */
export const notImplemented = (name: string): S3Operation => ({
  ...accountOperation({
    name,
    action: null,
    resource: ({ bucketArn }) => bucketArn,
    readOnly: true,
    async run() {
      throw new S3Error('NotImplemented', `${name} is not implemented.`, { Operation: name })
    },
  }),
  check() {}, // none of its headers matters more than that
})

export const handler = s3Handler(({ operation }) => notImplemented(operation ?? 'UnknownOperation'))
