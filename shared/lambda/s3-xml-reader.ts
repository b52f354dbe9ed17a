/**
 * XML of requests, read without believing anything of it: no DTD, no entities but the five of XML
 * (Extensible Markup Language 1.0, section 4.6), and what is not expected is passed over.
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { S3Error } from '../blobs/s3-error.ts'
import { escapeText } from './s3-xml.ts'

/** An element of a request: its text, or its children by name, those that repeat as lists. */
export type XmlNode = string | { readonly [name: string]: XmlNode | readonly XmlNode[] }

/**
 * @param root - the name that the outermost element must have, whatever its namespace
 * @returns what is within it
 * @throws S3Error MalformedXML
 */
export function parseXml(bytes: Uint8Array, root: string): XmlNode {
  const text = withoutCdata(decodeUtf8(bytes))
  if (countOf(text, '<') > MAX_TAGS) throw malformedXml()
  // A document without a DTD can name no entity but the five of XML.
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) throw malformedXml()
  if (XMLValidator.validate(text) !== true) throw malformedXml()
  const document = parse(text)
  const found = document[root]
  if (found === undefined || Object.keys(document).length !== 1) throw malformedXml()
  if (Array.isArray(found)) throw malformedXml()
  return found as XmlNode
}

/** @returns the children of that name, as a list of any length */
export function childrenOf(node: XmlNode, name: string): readonly XmlNode[] {
  if (typeof node === 'string' || !Object.hasOwn(node, name)) return []
  const found = node[name] as XmlNode | readonly XmlNode[]
  return Array.isArray(found) ? found : [found as XmlNode]
}

/** @returns the text of the one child of that name; `undefined` when there is none. @throws S3Error MalformedXML */
export function textOf(node: XmlNode, name: string): string | undefined {
  const [first, ...more] = childrenOf(node, name)
  if (first === undefined) return undefined
  if (typeof first !== 'string' || more.length > 0) throw malformedXml()
  return decodeReferences(first)
}

export const malformedXml = (): S3Error =>
  new S3Error(
    'MalformedXML',
    'The XML you provided was not well-formed or did not validate against our published schema',
  )

const CDATA_START = '<![CDATA['
const CDATA_END = ']]>'
/** Ten times what the largest request needs: Complete with 10,000 parts and a checksum for each. */
const MAX_TAGS = 800_000

/** Character data as escaped text, in one pass. @throws S3Error MalformedXML when it has no end */
function withoutCdata(text: string): string {
  let plain = ''
  let from = 0
  for (let start = text.indexOf(CDATA_START); start !== -1; ) {
    const end = text.indexOf(CDATA_END, start)
    if (end === -1) throw malformedXml()
    plain += text.slice(from, start) + escapeText(text.slice(start + CDATA_START.length, end))
    from = end + CDATA_END.length
    start = text.indexOf(CDATA_START, from)
  }
  return from === 0 ? text : plain + text.slice(from)
}

function countOf(text: string, character: string): number {
  let count = 0
  for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) count += 1
  return count
}

let parser: XMLParser | undefined

function parse(text: string): Record<string, unknown> {
  parser ??= new XMLParser({
    ignoreAttributes: true,
    removeNSPrefix: true,
    parseTagValue: false,
    trimValues: false,
    processEntities: false,
    ignoreDeclaration: true,
    ignorePiTags: true,
  })
  try {
    return withoutWhitespace(parser.parse(text)) as Record<string, unknown>
  } catch {
    throw malformedXml()
  }
}

/** Text between elements means nothing here; only elements without children have text. */
function withoutWhitespace(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutWhitespace)
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(
    Object.entries(node)
      .filter(([name]) => name !== '#text')
      .map(([name, child]) => [name, withoutWhitespace(child)]),
  )
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw malformedXml()
  }
}

const REFERENCE = /&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|(amp|lt|gt|quot|apos));|&/g
const CHARACTERS: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
}

/** @throws S3Error MalformedXML for a reference to what XML does not name */
const decodeReferences = (text: string): string =>
  text.includes('&')
    ? text.replace(REFERENCE, (_found, hex?: string, decimal?: string, name?: string) => {
        if (name !== undefined) return CHARACTERS[name] as string
        const digits = hex ?? decimal
        const code = digits === undefined ? -1 : Number.parseInt(digits, hex ? 16 : 10)
        if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw malformedXml()
        return String.fromCodePoint(code)
      })
    : text
