import { contextHeader, encryptionHeaders } from '../../shared/blobs/requested-encryption.ts'
import type { FormFields } from '../../shared/lambda/post-form.ts'
import { parsePostPolicy, requirePostPolicy } from '../../shared/lambda/post-policy.ts'
import { type S3Answer, xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import { checksumHeaders } from '../../shared/lambda/s3-checksums.ts'
import { readEncryption } from '../../shared/lambda/s3-encryption.ts'
import { readMetadata } from '../../shared/lambda/s3-metadata.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import { readAnnouncement, receivePart } from '../../shared/lambda/s3-receive.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { formHandler } from '../../shared/lambda/s3-stack.ts'
import { readTaggingHeader, taggingPermissions } from '../../shared/lambda/s3-tagging.ts'
import { plainXmlDocument } from '../../shared/lambda/s3-xml.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import type { ObjectRecord } from '../../shared/store/records.ts'
import { writeObject } from './write-object.ts'

const NO_FIELDS: FormFields = new Map()

/** Everything about a write that stands before its file. */
async function readHead(request: S3Request, call: Call) {
  const fields = request.form ?? NO_FIELDS
  const policy = parsePostPolicy(fields.get('policy') ?? '')
  requirePostPolicy(policy, fields, call.services.clock.now())
  const encryption = await readEncryption(request, call)
  const tags = readTaggingHeader(request)
  const hasMd5Etag = encryption.mode === 'SSE-S3'
  const announced = readAnnouncement(request, { hasMd5Etag, sizes: policy.size ?? {} })
  return { encryption, replaces: undefined, announced, metadata: readMetadata(request), tags }
}

/** Writes the file of a form, as its policy allows and as PutObject would. */
export const postObject = objectOperation({
  name: 'PostObject',
  action: 's3:PutObject',
  also: taggingPermissions,
  readOnly: false,
  async run(request, call) {
    const head = await readHead(request, call)
    const receive = receivePart.bind(null, request, head.announced)
    return answer(await writeObject(request, head, receive, call), request)
  },
})

function answer(record: ObjectRecord, request: S3Request): S3Answer {
  const fields = request.form ?? NO_FIELDS
  const { bucket, key } = record
  const etag = `"${record.etag}"`
  const headers = {
    etag,
    location: request.url,
    ...checksumHeaders(record.checksums, record.checksumType),
    ...encryptionHeaders(record.encryption, request.header),
    ...contextHeader(request.header),
  }
  const event = { bytesTransferredIn: record.size, SSEApplied: record.encryption.mode }
  const redirect = redirectOf(fields, { bucket, key, etag })
  if (redirect !== null) return { status: 303, headers: { ...headers, location: redirect }, event }
  switch (fields.get('success_action_status')) {
    case '200':
      return { status: 200, headers, event }
    case '201': {
      const elements = { Location: request.url, Bucket: bucket, Key: key, ETag: etag }
      const document = plainXmlDocument('PostResponse', elements)
      return { ...xmlAnswer(document, headers), status: 201, event }
    }
    default:
      return { status: 204, headers, event }
  }
}

/** @returns where the browser is to go; `null` when the form names nowhere, or no page */
function redirectOf(
  fields: FormFields,
  written: { readonly bucket: string; readonly key: string; readonly etag: string },
): string | null {
  const given = fields.get('success_action_redirect') ?? fields.get('redirect') ?? ''
  const url = URL.parse(given)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return null
  for (const [name, value] of Object.entries(written)) url.searchParams.append(name, value)
  return url.href
}

export const handler = formHandler(postObject)
