import { preconditionFailed, S3Error } from '../../shared/blobs/s3-error.ts'
import { xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import { readXml, requireBodyDigest } from '../../shared/lambda/s3-body.ts'
import { explainS3 } from '../../shared/lambda/s3-explain.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import { xmlDocument } from '../../shared/lambda/s3-xml.ts'
import {
  childrenOf,
  malformedXml,
  textOf,
  type XmlNode,
} from '../../shared/lambda/s3-xml-reader.ts'
import { authorizePermission } from '../../shared/pipeline/authorize.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import { removeObject } from './remove-object.ts'

const MAX_BODY = 2 * 1024 * 1024
const MAX_KEYS = 1000
const KEYS_AT_ONCE = 16

interface DeleteRequest {
  readonly objects: readonly XmlNode[]
  /** Whether only failures are to be told. */
  readonly quiet: boolean
}

/** What became of one name. */
interface Outcome {
  readonly key: string
  readonly failure: S3Error | null
}

/** Removes up to 1000 objects; each is authorized and told of by itself. */
export const deleteObjects = objectOperation({
  name: 'DeleteObjects',
  action: null,
  readOnly: false,
  async run(request, call) {
    const { objects, quiet } = await readRequest(request)
    const outcomes: Outcome[] = []
    for (let start = 0; start < objects.length; start += KEYS_AT_ONCE) {
      const some = objects.slice(start, start + KEYS_AT_ONCE)
      outcomes.push(...(await Promise.all(some.map((object) => remove(object, request, call)))))
    }
    const answer = xmlAnswer(xmlDocument('DeleteResult', resultOf(outcomes, quiet)))
    return { ...answer, event: eventOf(outcomes) }
  },
})

/** @throws S3Error InvalidRequest without a digest of the body, MalformedXML */
async function readRequest(request: S3Request): Promise<DeleteRequest> {
  requireBodyDigest(request)
  const document = await readXml(request, 'Delete', MAX_BODY)
  const objects = document === null ? [] : childrenOf(document, 'Object')
  if (document === null || objects.length === 0 || objects.length > MAX_KEYS) throw malformedXml()
  for (const object of objects) if (!textOf(object, 'Key')) throw malformedXml()
  return { objects, quiet: textOf(document, 'Quiet')?.toLowerCase() === 'true' }
}

async function remove(object: XmlNode, request: S3Request, call: Call): Promise<Outcome> {
  const key = textOf(object, 'Key') ?? ''
  const resource = `${request.bucketArn}/${key}`
  try {
    const { policy } = await request.requireBucket(call.services.store.buckets)
    authorizePermission({ action: 's3:DeleteObject', resource, policy }, {}, call)
    refuseOtherConditions(object)
    const etag = textOf(object, 'ETag')
    const rev = etag === undefined ? undefined : await revOf(key, etag, request, call)
    if (rev !== null) await removeObject(key, rev, request, call)
    return { key, failure: null }
  } catch (error) {
    return { key, failure: explainS3(error) }
  }
}

function refuseOtherConditions(object: XmlNode): void {
  const version = textOf(object, 'VersionId')
  if (version !== undefined && version !== 'null') {
    throw new S3Error('InvalidArgument', 'Invalid version id specified')
  }
  const given = ['LastModifiedTime', 'Size'].find((name) => textOf(object, name) !== undefined)
  if (given !== undefined) {
    throw new S3Error('NotImplemented', `The condition ${given} is not implemented.`)
  }
}

/** @returns `null` when there is nothing to remove. @throws S3Error PreconditionFailed */
async function revOf(
  key: string,
  etag: string,
  { account, bucket }: S3Request,
  { services }: Call,
): Promise<number | null> {
  const present = await services.store.objects.get(account, bucket, key)
  if (present === null) return null
  const wanted = etag.replace(/^"|"$/g, '')
  if (wanted !== '*' && wanted !== present.etag) throw preconditionFailed('If-Match')
  return present.rev
}

/** Characters of names: what else CloudTrail takes of additional data is left for the rest. */
const MAX_RECORDED_NAMES = 8 * 1024

/** What the record tells: which names are gone, and how many more than it has room for. */
function eventOf(outcomes: readonly Outcome[]): Readonly<Record<string, unknown>> {
  const deleted = outcomes.filter(({ failure }) => failure === null)
  const named: string[] = []
  let length = 0
  for (const { key } of deleted) {
    length += key.length
    if (length <= MAX_RECORDED_NAMES) named.push(key)
  }
  return {
    deletedObjects: named,
    deletedObjectsNotNamed: deleted.length - named.length,
    objectsNotDeleted: outcomes.length - deleted.length,
  }
}

const resultOf = (outcomes: readonly Outcome[], quiet: boolean) => ({
  Deleted: quiet
    ? []
    : outcomes.filter(({ failure }) => failure === null).map(({ key }) => ({ Key: key })),
  Error: outcomes.flatMap(({ key, failure }) =>
    failure === null ? [] : [{ Key: key, Code: failure.code, Message: failure.text ?? '' }],
  ),
})

export const handler = s3Handler(deleteObjects)
