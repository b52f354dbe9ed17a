/** The rules by which pages of other origins may use a bucket, as XML (Amazon S3 API Reference, "PutBucketCors"). */
import { S3Error } from '../../shared/blobs/s3-error.ts'
import type { XmlElements } from '../../shared/lambda/s3-xml.ts'
import {
  childrenOf,
  malformedXml,
  textOf,
  type XmlNode,
} from '../../shared/lambda/s3-xml-reader.ts'
import type { CorsRule } from '../../shared/store/records.ts'

const MAX_RULES = 100
const MAX_ID_LENGTH = 255
const METHODS = new Set(['GET', 'PUT', 'HEAD', 'POST', 'DELETE'])

/** @throws S3Error MalformedXML, InvalidRequest */
export function readCors(document: XmlNode): readonly CorsRule[] {
  const rules = childrenOf(document, 'CORSRule')
  if (rules.length === 0 || rules.length > MAX_RULES) throw malformedXml()
  return rules.map(readRule)
}

export const corsElements = (rules: readonly CorsRule[]): XmlElements => ({
  CORSRule: rules.map((rule) => ({
    ID: rule.id ?? undefined,
    AllowedMethod: rule.allowedMethods,
    AllowedOrigin: rule.allowedOrigins,
    AllowedHeader: rule.allowedHeaders,
    ExposeHeader: rule.exposeHeaders,
    MaxAgeSeconds: rule.maxAgeSeconds ?? undefined,
  })),
})

function readRule(node: XmlNode): CorsRule {
  const id = textOf(node, 'ID') ?? null
  if (id !== null && id.length > MAX_ID_LENGTH) {
    throw new S3Error(
      'InvalidRequest',
      'The ID of a CORS rule cannot be longer than 255 characters.',
    )
  }
  const allowedMethods = textsOf(node, 'AllowedMethod')
  const allowedOrigins = textsOf(node, 'AllowedOrigin')
  const allowedHeaders = textsOf(node, 'AllowedHeader')
  if (allowedMethods.length === 0 || allowedOrigins.length === 0) throw malformedXml()
  allowedMethods.forEach(requireMethod)
  for (const origin of allowedOrigins) requireOneWildcard(origin, 'AllowedOrigin')
  for (const name of allowedHeaders) requireOneWildcard(name, 'AllowedHeader')
  const exposeHeaders = textsOf(node, 'ExposeHeader')
  exposeHeaders.forEach(requireNoWildcard)
  const maxAgeSeconds = readSeconds(textOf(node, 'MaxAgeSeconds'))
  return { id, allowedOrigins, allowedMethods, allowedHeaders, exposeHeaders, maxAgeSeconds }
}

const textsOf = (node: XmlNode, name: string): readonly string[] =>
  childrenOf(node, name).map((child) => {
    const text = textOf({ [name]: child }, name)
    if (text === undefined || /[\r\n\0]/.test(text)) throw malformedXml()
    return text
  })

function requireMethod(method: string): void {
  if (METHODS.has(method)) return
  throw new S3Error(
    'InvalidRequest',
    `Found unsupported HTTP method in CORS config. Unsupported method is ${method}`,
  )
}

function requireOneWildcard(text: string, name: string): void {
  if (text.indexOf('*') === text.lastIndexOf('*')) return
  throw new S3Error('InvalidRequest', `${name} "${text}" can not have more than one wildcard.`)
}

function requireNoWildcard(text: string): void {
  if (!text.includes('*')) return
  throw new S3Error(
    'InvalidRequest',
    `ExposeHeader "${text}" contains wildcard. We currently do not support wildcard for ExposeHeader.`,
  )
}

function readSeconds(text: string | undefined): number | null {
  if (text === undefined) return null
  if (/^[0-9]{1,9}$/.test(text)) return Number(text)
  throw malformedXml()
}
