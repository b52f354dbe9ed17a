/** XML as S3 writes it: documents of plain elements, in the order in which AWS has them. */

/**
 * Elements in the order in which they are written. A list repeats its element; `undefined` leaves it
 * out. A name may be followed by a space and attributes.
 */
export interface XmlElements {
  readonly [name: string]: XmlContent | readonly XmlContent[] | undefined
}
export type XmlContent = string | number | boolean | Date | XmlElements

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/'

/** @returns a document with the namespace of S3 */
export const xmlDocument = (root: string, content: XmlContent): string =>
  `${DECLARATION}<${root} xmlns="${NAMESPACE}">${encodeContent(content)}</${root}>`

/** @returns a document without a namespace, as errors are */
export const plainXmlDocument = (root: string, content: XmlContent): string =>
  `${DECLARATION}<${root}>${encodeContent(content)}</${root}>`

function encodeContent(content: XmlContent): string {
  if (content instanceof Date) return content.toISOString()
  if (typeof content === 'object') return encodeElements(content)
  return escapeText(String(content))
}

function encodeElements(elements: XmlElements): string {
  let xml = ''
  for (const name in elements) {
    const value = elements[name]
    if (value === undefined) continue
    const contents = Array.isArray(value) ? (value as readonly XmlContent[]) : [value as XmlContent]
    const [element = name] = name.split(' ', 1)
    for (const content of contents) xml += `<${name}>${encodeContent(content)}</${element}>`
  }
  return xml
}

// Besides markup, what XML 1.0 has no character for (section 2.2): S3 writes those as references too.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const SPECIAL = /[&<>"\u0000-\u0008\u000b-\u001f\u007f\ufffe\uffff]/g
const NAMED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}

/** Text as the content of an element. */
export const escapeText = (text: string): string =>
  text.replace(SPECIAL, (found) => NAMED[found] ?? `&#x${found.charCodeAt(0).toString(16)};`)
