import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plainXmlDocument, xmlDocument } from '../../../shared/lambda/s3-xml.ts'
import { childrenOf, parseXml, textOf, type XmlNode } from '../../../shared/lambda/s3-xml-reader.ts'

const parse = (text: string, root = 'Root'): XmlNode => parseXml(Buffer.from(text), root)

test('elements are written in the order given, lists repeat, and what is undefined is left out', () => {
  const document = xmlDocument('Root', {
    B: 1,
    A: undefined,
    C: [{ D: 'x' }, { D: 'y' }],
    E: [],
    F: true,
    G: new Date(0),
  })
  expect(document).toBe(
    '<?xml version="1.0" encoding="UTF-8"?>\n<Root xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
      '<B>1</B><C><D>x</D></C><C><D>y</D></C><F>true</F><G>1970-01-01T00:00:00.000Z</G></Root>',
  )
})

test('text stands for itself, whatever is in it', () => {
  expect(plainXmlDocument('R', '<&>"\r\u0001')).toContain('&lt;&amp;&gt;&quot;&#xd;&#x1;</R>')
})

test('what is written is read back', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1 })
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), (values) => {
      const root = parse(xmlDocument('Root', { Value: values.map((Key) => ({ Key })) }))
      expect(childrenOf(root, 'Value').map((node) => textOf(node, 'Key'))).toEqual(values)
    }),
  )
})

test.each([
  ['a prefix', '<s:Root xmlns:s="x"><s:A>1</s:A></s:Root>'],
  ['no namespace', '<Root><A>1</A></Root>'],
  ['attributes and unknown elements', '<Root b="2"><X><A>9</A></X><A c="3">1</A></Root>'],
  [
    'a declaration, comments and spaces',
    '<?xml version="1.0"?>\n<!-- c --><Root>\n <A>1</A>\n</Root>\n',
  ],
  ['character data', '<Root><A><![CDATA[1]]></A></Root>'],
  ['references', '<Root><A>&#49;</A></Root>'],
])('a document with %s is read', (_case, text) => {
  expect(textOf(parse(text), 'A')).toBe('1')
})

test('spaces within a text stay', () => {
  expect(textOf(parse('<Root><A> a\n b </A></Root>'), 'A')).toBe(' a\n b ')
})

test('character data is not read twice', () => {
  expect(textOf(parse('<Root><A><![CDATA[&amp;<b>]]></A></Root>'), 'A')).toBe('&amp;<b>')
})

test.each([
  '',
  'text',
  '<Root>',
  '<Root></Other>',
  '<Root/><Root/>',
  '<Other/>',
  '<Root><A></Root></A>',
  '<!DOCTYPE Root><Root/>',
  '<!DOCTYPE Root [<!ENTITY a "b">]><Root><A>&a;</A></Root>',
  '<!doctype Root><Root/>',
  '<Root><constructor>x</constructor></Root>',
  '<Root><__proto__>x</__proto__></Root>',
])('%s is malformed', (text) => {
  expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'MalformedXML' }))
})

test.each(['&unknown;', '&#xD800;', '&#x110000;', '&', '&#;'])(
  'the text %s is malformed',
  (text) => {
    expect(() => textOf(parse(`<Root><A>${text}</A></Root>`), 'A')).toThrow(
      expect.objectContaining({ code: 'MalformedXML' }),
    )
  },
)

test('bytes that are not UTF-8 are malformed', () => {
  const bytes = Buffer.concat([Buffer.from('<Root>'), Buffer.of(0xff), Buffer.from('</Root>')])
  expect(() => parseXml(bytes, 'Root')).toThrow(expect.objectContaining({ code: 'MalformedXML' }))
})

test('nothing but a refusal comes of any bytes', () => {
  const near = fc.stringMatching(/^<Root>(<[A-C]\/?>|<\/[A-C]>|[&<>a;#x])*<\/Root>$/)
  fc.assert(
    fc.property(fc.oneof(near, fc.string()), (text) => {
      try {
        expect(['string', 'object']).toContain(typeof parse(text))
      } catch (error) {
        expect(error).toMatchObject({ code: 'MalformedXML' })
      }
    }),
  )
})
