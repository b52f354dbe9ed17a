/**
 * Uploads by a browser's form (Amazon S3 API Reference, "POST Object"): the fields before the file
 * say what the headers of a PutObject say, and who made the form.
 */
import type { Readable } from 'node:stream'
import type { SignedForm } from '../authn/form-claim.ts'
import type { VersionTwoForm } from '../authn/form-version-2.ts'
import { percentEncode } from '../authn/percent-encoding.ts'
import { invalidArgument, preconditionFailed, S3Error } from '../blobs/s3-error.ts'
import { boundaryOf, FormError, type FormFile, readForm } from './form-data.ts'
import type { OriginHead } from './origin.ts'
import { incompleteBody } from './s3-explain.ts'
import { isCephProfile } from './s3-profile.ts'
import { requestAddress } from './s3-request.ts'
import { MAX_OBJECT_TAGS, readTagging, TAGGING } from './s3-tagging.ts'
import { parseXml } from './s3-xml-reader.ts'

/** The fields before the file, by lower-case name, with the bucket and the name of the object as it is. */
export type FormFields = ReadonlyMap<string, string>

export interface PostedForm {
  readonly fields: FormFields
  readonly file: FormFile
}

const FILENAME = /\$\{filename\}/g
/** Bytes before the file (Amazon S3 API Reference, "List of error codes": MaxPostPreDataLengthExceeded). */
const MAX_FIELDS_LENGTH = 20_480

/** Of the request itself, what stays a header; what speaks of the body speaks of the whole form. */
const KEPT_HEADERS = ['host', 'user-agent', 'origin', 'x-amz-expected-bucket-owner']
/** Fields that mean what the header of that name means, besides those that begin with `x-amz-`. */
const HEADER_FIELDS = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
]
/** Fields that say who made the form. */
const AUTHENTICATION = [
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-signature',
  'x-amz-security-token',
]
/** In the order in which they are missed, with the spelling of the message. */
const REQUIRED_BY_VERSION_2 = ['AWSAccessKeyId', 'policy', 'signature']
const REQUIRED = ['policy', 'X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Date', 'X-Amz-Signature']

/**
 * @param body - stays the caller's to destroy
 * @throws S3Error PreconditionFailed for a body that is no form, MalformedPOSTRequest,
 *   MaxPostPreDataLengthExceeded, InvalidArgument, IncompleteBody
 */
export async function readPostedForm(origin: OriginHead, body: Readable): Promise<PostedForm> {
  const boundary = boundaryOf(origin.request.headers.get('content-type')?.[0] ?? '')
  if (boundary === null) {
    throw preconditionFailed('Bucket POST must be of the enclosure-type multipart/form-data')
  }
  const options = { boundary, fileField: 'file', limit: MAX_FIELDS_LENGTH }
  const { fields, file } = await readForm(body, options).catch((error: unknown) => {
    throw toS3Error(error)
  })
  const named = new Map<string, string>()
  for (const { name, value } of fields) {
    if (named.has(name.toLowerCase())) throw malformed(new Error('A field comes twice.'))
    named.set(name.toLowerCase(), value)
  }
  if (file === null) {
    throw invalidArgument('POST requires exactly one file upload per request.', 'file', '0')
  }
  const key = requireField(named, 'key')
  named.set(
    'key',
    key.replaceAll(FILENAME, () => baseName(file.filename)),
  )
  named.set('bucket', requestAddress(origin).bucket)
  return { fields: named, file }
}

/** Whether Signature Version 2 says who made a form. */
export const isVersionTwo = (fields: FormFields): boolean =>
  fields.has('awsaccesskeyid') && !fields.has('x-amz-signature')

/**
 * @returns what says who made a form by Signature Version 2
 * @throws S3Error InvalidRequest where such forms are not taken, InvalidArgument for a field that is
 *   missing
 */
export function versionTwoForm(fields: FormFields): VersionTwoForm {
  if (!isCephProfile()) throw unsupportedMechanism()
  const [accessKeyId = '', policy = '', signature = ''] = REQUIRED_BY_VERSION_2.map((name) =>
    requireField(fields, name),
  )
  return { accessKeyId, policy, signature }
}

/**
 * @returns what says who made the form
 * @throws S3Error AccessDenied for a form that nobody signed, InvalidArgument for a field that is missing
 */
export function signedForm(fields: FormFields, { request }: OriginHead): SignedForm {
  if (!fields.has('policy') && !AUTHENTICATION.some((name) => fields.has(name))) {
    throw new S3Error('AccessDenied', 'Access Denied')
  }
  const [policy = '', algorithm = '', credential = '', date = '', signature = ''] = REQUIRED.map(
    (name) => requireField(fields, name),
  )
  const sessionToken = fields.get('x-amz-security-token') ?? null
  const host = request.headers.get('host')?.[0] ?? ''
  return { policy, algorithm, credential, date, signature, sessionToken, host }
}

/**
 * @returns the request that would write the same object without a form
 * @throws S3Error MalformedXML, InvalidTag, BadRequest
 */
export function asUpload(fields: FormFields, origin: OriginHead): OriginHead {
  const { request, bucket: named } = origin
  const headers = new Map<string, readonly string[]>()
  for (const name of KEPT_HEADERS) {
    const values = request.headers.get(name)
    if (values !== undefined) headers.set(name, values)
  }
  for (const [name, value] of fields) {
    const isHeader = name.startsWith('x-amz-') || HEADER_FIELDS.includes(name)
    if (isHeader && !AUTHENTICATION.includes(name)) headers.set(name, [asHeader(value)])
  }
  const acl = fields.get('acl')
  if (acl !== undefined) headers.set('x-amz-acl', [asHeader(acl)])
  const tagging = fields.get('tagging')
  if (tagging !== undefined) headers.set(TAGGING, [taggingHeader(tagging)])
  const { bucket } = requestAddress(origin)
  const names = [...(named === '' ? [bucket] : []), ...(fields.get('key') ?? '').split('/')]
  const path = `/${names.map(percentEncode).join('/')}`
  return { ...origin, request: { ...request, path, query: '', headers } }
}

/** Headers have a character for each byte. */
const asHeader = (value: string): string => Buffer.from(value).toString('latin1')

function taggingHeader(document: string): string {
  const tags = readTagging(parseXml(Buffer.from(document), 'Tagging'), MAX_OBJECT_TAGS)
  return Object.entries(tags)
    .map((pair) => pair.map(percentEncode).join('='))
    .join('&')
}

/** Browsers may give the path of the file; what counts is behind the last slash of either kind. */
const baseName = (filename: string): string => filename.replace(/^.*[/\\]/s, '')

function requireField(fields: FormFields, name: string): string {
  const value = fields.get(name.toLowerCase())
  if (value !== undefined && value !== '') return value
  throw invalidArgument(
    `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
    name,
    '',
  )
}

const unsupportedMechanism = (): S3Error =>
  new S3Error(
    'InvalidRequest',
    'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
  )

function toS3Error(error: unknown): unknown {
  if (!(error instanceof FormError)) return incompleteBody(error)
  switch (error.kind) {
    case 'malformed':
      return malformed(error)
    case 'incomplete':
      return malformed(error)
    case 'too-large':
      return new S3Error(
        'MaxPostPreDataLengthExceeded',
        'Your POST request fields preceding the upload file were too large.',
        { MaxPostPreDataLengthBytes: MAX_FIELDS_LENGTH },
        { cause: error },
      )
    default:
      return error.kind satisfies never
  }
}

const malformed = (cause: unknown): S3Error =>
  new S3Error(
    'MalformedPOSTRequest',
    'The body of your POST request is not well-formed multipart/form-data.',
    {},
    { cause },
  )
