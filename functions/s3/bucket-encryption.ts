/**
 * How the default encryption of a bucket is written down (Amazon S3 API Reference,
 * "PutBucketEncryption"): one rule, with what writes get that ask for nothing, and with what the
 * bucket blocks.
 */
import { S3Error } from '../../shared/blobs/s3-error.ts'
import type { XmlElements } from '../../shared/lambda/s3-xml.ts'
import {
  childrenOf,
  malformedXml,
  textOf,
  type XmlNode,
} from '../../shared/lambda/s3-xml-reader.ts'
import type { BucketEncryption } from '../../shared/store/records.ts'

const ALGORITHMS = ['AES256', 'aws:kms', 'aws:kms:dsse'] as const

/**
 * @param before - what the bucket has: a block stays that is not spoken of
 * @throws S3Error MalformedXML, InvalidArgument
 */
export function readBucketEncryption(
  document: XmlNode,
  before: BucketEncryption | undefined,
): BucketEncryption {
  const [rule, ...more] = childrenOf(document, 'Rule')
  if (rule === undefined || more.length > 0) throw malformedXml()
  const [wanted, ...others] = childrenOf(rule, 'ApplyServerSideEncryptionByDefault')
  if (others.length > 0) throw malformedXml()
  const blocks = readBlocked(rule)
  if (wanted === undefined && blocks === null) throw malformedXml()
  return {
    ...(wanted === undefined ? { algorithm: null, keyId: null } : readDefault(wanted)),
    bucketKey: readFlag(textOf(rule, 'BucketKeyEnabled')),
    blocksCustomerKeys: blocks ?? before?.blocksCustomerKeys ?? false,
  }
}

/** @returns what GetBucketEncryption answers with; every bucket has SSE-S3 at least */
export function bucketEncryptionElements(encryption: BucketEncryption | undefined): XmlElements {
  const { algorithm, keyId, bucketKey, blocksCustomerKeys } = encryption ?? NOTHING_SET
  return {
    Rule: {
      ApplyServerSideEncryptionByDefault: {
        SSEAlgorithm: algorithm ?? 'AES256',
        KMSMasterKeyID: keyId ?? undefined,
      },
      BucketKeyEnabled: bucketKey,
      BlockedEncryptionTypes: blocksCustomerKeys ? { EncryptionType: 'SSE-C' } : undefined,
    },
  }
}

const NOTHING_SET: BucketEncryption = {
  algorithm: null,
  keyId: null,
  bucketKey: false,
  blocksCustomerKeys: false,
}

function readDefault(node: XmlNode): Pick<BucketEncryption, 'algorithm' | 'keyId'> {
  const text = textOf(node, 'SSEAlgorithm')
  const algorithm = ALGORITHMS.find((known) => known === text)
  if (algorithm === undefined) throw malformedXml()
  const keyId = textOf(node, 'KMSMasterKeyID') || null
  if (keyId === null || algorithm !== 'AES256') return { algorithm, keyId }
  throw new S3Error(
    'InvalidArgument',
    'a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse',
    { ArgumentName: 'ApplyServerSideEncryptionByDefault' },
  )
}

/** @returns `null` when the rule does not speak of it */
function readBlocked(rule: XmlNode): boolean | null {
  const [blocked, ...more] = childrenOf(rule, 'BlockedEncryptionTypes')
  if (more.length > 0) throw malformedXml()
  if (blocked === undefined) return null
  const types = childrenOf(blocked, 'EncryptionType')
  for (const type of types) if (type !== 'SSE-C' && type !== 'NONE') throw malformedXml()
  if (types.length > 1 && types.includes('NONE')) throw malformedXml()
  return types.includes('SSE-C')
}

function readFlag(text: string | undefined): boolean {
  if (text === undefined || text === 'false' || text === '0') return false
  if (text === 'true' || text === '1') return true
  throw malformedXml()
}
