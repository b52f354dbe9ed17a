/** Access control lists: everything is its owner's alone, as in S3 with "bucket owner enforced". */
import { S3Error } from '../../shared/blobs/s3-error.ts'
import { type S3Answer, xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import { readWhole } from '../../shared/lambda/s3-body.ts'
import { canonicalUserId } from '../../shared/lambda/s3-owner.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { xmlDocument } from '../../shared/lambda/s3-xml.ts'

const MAX_BODY = 64 * 1024
const PRIVATE = new Set(['private', 'bucket-owner-full-control'])
const GRANTEE =
  'Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"'

/** @returns the one list there is */
export function aclAnswer({ account }: S3Request): S3Answer {
  const owner = { ID: canonicalUserId(account) }
  const grant = { [GRANTEE]: owner, Permission: 'FULL_CONTROL' }
  const document = xmlDocument('AccessControlPolicy', {
    Owner: owner,
    AccessControlList: { Grant: grant },
  })
  return xmlAnswer(document)
}

/** @throws S3Error AccessControlListNotSupported for anything but what is so anyway */
export async function putAcl(request: S3Request): Promise<S3Answer> {
  const body = await readWhole(request, MAX_BODY)
  const canned = request.header('x-amz-acl')
  if (body.length === 0 && canned !== undefined && PRIVATE.has(canned)) {
    return { status: 200, headers: {} }
  }
  throw new S3Error('AccessControlListNotSupported', 'The bucket does not allow ACLs')
}
