import { generateKeyPairSync } from 'node:crypto'
import { encode } from 'cborg'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AttestationRefused, verifyAttestation } from '../../../shared/authn/attestation.ts'
import {
  claimsOf,
  documentOf,
  type Enclave,
  givenEnclave,
  pcr,
  type Signing,
  signedDocument,
} from '../../support/attestation.ts'
import { type CertificatePlan, issue, rsaPair } from '../../support/certificates.ts'

const enclave = givenEnclave()
const roots = [enclave.root.certificate]
const now = Date.now()
const MINUTE = 60_000

const verify = (document: Uint8Array, at = now) => verifyAttestation(document, roots, at)
const because = (why: string) => `The attestation document is not valid: ${why}.`

/** @returns what the refusal says; fails when there is none, or any other error */
async function refusal(document: Uint8Array, trusted = roots, at = now): Promise<string> {
  const error = await verifyAttestation(document, trusted, at).then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(AttestationRefused)
  return (error as Error).message
}

describe('A document', () => {
  test('tells who the enclave is', async () => {
    const { moduleId, platform, pcrs, publicKey } = await verify(documentOf(enclave))
    expect({ moduleId, platform }).toEqual({
      moduleId: 'i-0123456789abcdef0-enc0123456789abcdef',
      platform: 'enclave',
    })
    expect([...pcrs.keys()]).toEqual([0, 1, 2, 3, 4, 8])
    expect(Buffer.from(pcrs.get(8) ?? [])).toEqual(pcr(8))
    expect(publicKey.export({ type: 'spki', format: 'der' })).toEqual(enclave.keyPair.publicKey)
  })

  test('may bear the tag of COSE_Sign1', async () => {
    await verify(documentOf(enclave, {}, { tagged: true }))
  })

  test('may hold data of the enclave, or leave it out', async () => {
    await verify(documentOf(enclave, { user_data: Buffer.from('x'), nonce: Buffer.alloc(512) }))
    await verify(documentOf(enclave, { user_data: undefined, nonce: undefined }))
  })

  test('may be of a NitroTPM', async () => {
    const registers = { pcrs: undefined, nitrotpm_pcrs: new Map([[4, pcr(4)]]) }
    const { platform, pcrs } = await verify(documentOf(enclave, registers))
    expect({ platform, registers: [...pcrs.keys()] }).toEqual({
      platform: 'nitroTpm',
      registers: [4],
    })
  })

  test('may be almost five minutes old, and a little ahead', async () => {
    const timestamp = now
    await verify(documentOf(enclave, { timestamp }), now + 5 * MINUTE)
    await verify(documentOf(enclave, { timestamp }), now - MINUTE)
  })

  test('is refused when it is older, or further ahead', async () => {
    const document = documentOf(enclave, { timestamp: now })
    expect(await refusal(document, roots, now + 5 * MINUTE + 1)).toBe(
      because('it is older than five minutes'),
    )
    expect(await refusal(document, roots, now - MINUTE - 1)).toBe(
      because('it is dated in the future'),
    )
  })
})

describe('The signature', () => {
  const wrong = because('its signature is not that of its certificate')

  test('is that of the certificate', async () => {
    const { privateKey } = givenEnclave().leaf
    expect(await refusal(documentOf(enclave, {}, { key: privateKey }))).toBe(wrong)
  })

  test('covers every claim', async () => {
    const document = documentOf(enclave)
    const at = document.indexOf(pcr(0))
    document[at] = 0
    expect(await refusal(document)).toBe(wrong)
  })

  test.for<[string, Signing['protectedHeader']]>([
    ['another algorithm', encode(new Map([[1, -7]]))],
    ['no algorithm', encode(new Map())],
    [
      'something beside it',
      encode(
        new Map([
          [1, -35],
          [4, 1],
        ]),
      ),
    ],
    ['nothing', new Uint8Array()],
  ])('is not taken when its header says %s', async ([, protectedHeader]) => {
    const signing: Signing = protectedHeader === undefined ? {} : { protectedHeader }
    expect(await refusal(documentOf(enclave, {}, signing))).toBe(
      because('it is not a COSE_Sign1 message with algorithm ES384'),
    )
  })

  test('by a key of another curve is not taken', async () => {
    const keyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const leaf = issue({ name: 'other curve', keyPair }, enclave.authority)
    // What P-256 signs is shorter; a certificate's key decides nothing about that.
    const signed = documentOf({ ...enclave, leaf }, {}, { key: enclave.leaf.privateKey })
    expect(await refusal(signed)).toBe(wrong)
  })
})

describe('Certificates', () => {
  const root = (differs: Partial<CertificatePlan> = {}) =>
    issue({ name: 'root', isAuthority: true, ...differs }, null)
  const chain = (differs: { root?: object; authority?: object; leaf?: object } = {}): Enclave => {
    const top = root(differs.root)
    const authority = issue({ name: 'between', isAuthority: true, ...differs.authority }, top)
    const leaf = issue({ name: 'leaf', ...differs.leaf }, authority)
    return { ...enclave, root: top, authority, leaf }
  }
  const past = { from: new Date(now - 100 * MINUTE), to: new Date(now - MINUTE) }
  const future = { from: new Date(now + MINUTE) }
  const told = (given: Enclave, claims = {}) =>
    refusal(documentOf(given, claims), [given.root.certificate])

  test('lead to the root', async () => {
    const given = chain()
    await verifyAttestation(documentOf(given), [given.root.certificate], now)
    expect(await refusal(documentOf(given))).toBe(
      because('its certificates do not lead to a root that is trusted here'),
    )
  })

  test('lead to the root itself, not to one of its name', async () => {
    const given = chain()
    expect(await refusal(documentOf(given), [root().certificate])).toBe(
      because('its certificates do not lead to a root that is trusted here'),
    )
  })

  test('may have several authorities between, or none', async () => {
    const { root: top, authority } = chain()
    const second = issue({ name: 'second', isAuthority: true }, authority)
    const leaf = issue({ name: 'leaf' }, second)
    const given = { ...enclave, root: top, authority: second, leaf }
    const cabundle = [top, authority, second].map(({ certificate }) => certificate.raw)
    await verifyAttestation(documentOf(given, { cabundle }), [top.certificate], now)
    const direct = { ...enclave, root: top, leaf: issue({ name: 'leaf' }, top) }
    const alone = { cabundle: [top.certificate.raw] }
    await verifyAttestation(documentOf(direct, alone), [top.certificate], now)
  })

  test.for([
    ['the root', { root: past }],
    ['an authority', { authority: past }],
    ['the enclave', { leaf: past }],
    ['an authority, not yet', { authority: future }],
    ['the enclave, not yet', { leaf: future }],
  ] as const)('are valid at the time: %s', async ([, differs]) => {
    expect(await told(chain(differs))).toBe(
      because('one of its certificates is not valid at this time'),
    )
  })

  test('are each issued by the next', async () => {
    const given = chain()
    const stranger = issue({ name: 'between', isAuthority: true }, given.root)
    const cabundle = [given.root, stranger].map(({ certificate }) => certificate.raw)
    expect(await told(given, { cabundle })).toBe(
      because('one of its certificates was not issued by the next'),
    )
    expect(await told(given, { cabundle: [given.root.certificate.raw] })).toBe(
      because('one of its certificates was not issued by the next'),
    )
  })

  test.for([
    ['who is none', { authority: { isAuthority: false, usage: 0x04 } }],
    ['who has no authority below', { root: { pathLength: 0 } }],
  ] as const)('are not issued by an authority %s', async ([, differs]) => {
    expect(await told(chain(differs))).toBe(
      because('one of its certificates was issued by one that may not issue it'),
    )
  })

  test('are not issued by an authority whose key is for something else', async () => {
    expect(await told(chain({ authority: { usage: 0x80 } }))).toBe(
      because('one of its certificates was not issued by the next'),
    )
  })

  test('count the authorities below one', async () => {
    const given = chain({ root: { pathLength: 1 }, authority: { pathLength: 0 } })
    await verifyAttestation(documentOf(given), [given.root.certificate], now)
  })

  test.for([
    ['an enclave that signs nothing', { leaf: { usage: 0x04 } }],
    ['something critical that nobody knows', { leaf: { criticalExtension: '551d36' } }],
  ] as const)('are for their use: %s', async ([, differs]) => {
    expect(await told(chain(differs))).toBe(because('one of its certificates is for another use'))
  })

  test('can be read', async () => {
    expect(await told(chain(), { certificate: Buffer.from('none') })).toBe(
      because('one of its certificates cannot be read'),
    )
  })
})

describe('A claim is refused', () => {
  const bytes = (length: number) => Buffer.alloc(length)
  test.for<[string, unknown]>([
    ['module_id', undefined],
    ['module_id', ''],
    ['module_id', bytes(4)],
    ['digest', undefined],
    ['digest', 'SHA256'],
    ['timestamp', undefined],
    ['timestamp', 0],
    ['timestamp', '1'],
    ['timestamp', 1.5],
    ['pcrs', undefined],
    ['pcrs', new Map()],
    ['pcrs', new Map([[32, pcr(0)]])],
    ['pcrs', new Map([[-1, pcr(0)]])],
    ['pcrs', new Map([['0', pcr(0)]])],
    ['pcrs', new Map([[0, bytes(32)]])],
    ['pcrs', new Map([[0, 'text']])],
    ['certificate', undefined],
    ['certificate', bytes(0)],
    ['certificate', bytes(1025)],
    ['cabundle', undefined],
    ['cabundle', []],
    ['cabundle', [1]],
    ['cabundle', Array.from({ length: 11 }, () => bytes(1))],
    ['public_key', bytes(0)],
    ['public_key', bytes(1025)],
    ['public_key', 'text'],
    ['user_data', bytes(1025)],
    ['user_data', 1],
    ['nonce', 'text'],
    ['nitrotpm_pcrs', new Map([[0, pcr(0)]])],
  ])('%s: %o', async ([name, value]) => {
    expect(await refusal(documentOf(enclave, { [name]: value }))).toBe(
      because(`the field ${name} is missing or malformed`),
    )
  })

  test.for([undefined, null])('public_key: %o', async (public_key) => {
    expect(await refusal(documentOf(enclave, { public_key }))).toBe(because('it has no public_key'))
  })

  const ec = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey
  test.for([
    ['no key', Buffer.from('nothing')],
    ['a key of an elliptic curve', ec.export({ type: 'spki', format: 'der' })],
    ['a key of 1024 bits', rsaPair(1024).publicKey],
    ['a key of 5120 bits', rsaPair(5120).publicKey],
  ] as const)('public_key: %s', async ([, public_key]) => {
    expect(await refusal(documentOf(enclave, { public_key }))).toBe(
      because('its public_key is not an RSA public key of 2048 to 4096 bits'),
    )
  })

  test('that is there twice', async () => {
    const payload = Buffer.from(encode(claimsOf(enclave)))
    const twice = Buffer.concat([
      Buffer.of(0xaa),
      payload.subarray(1),
      encode('digest'),
      encode('SHA384'),
    ])
    expect(await refusal(signedDocument(enclave, twice))).toBe(because('its payload is not a map'))
  })
})

describe('Bytes that are no document are refused:', () => {
  const noMessage = because('it is not a COSE_Sign1 message with algorithm ES384')
  const whole = documentOf(enclave)
  test.for<[string, Uint8Array]>([
    ['none', new Uint8Array()],
    ['text', Buffer.from('not CBOR')],
    ['more than the message', Buffer.concat([whole, Buffer.of(0)])],
    ['huge nesting', Buffer.alloc(262_144, 0x81)],
    ['huge nesting of maps', Buffer.alloc(262_144, 0xa1)],
    ['huge nesting of tags', Buffer.alloc(262_144, 0xd2)],
    ['an array that claims to be endless', Buffer.from('9bffffffffffffffff', 'hex')],
    ['a byte string that claims to be endless', Buffer.from('845bffffffffffffffff', 'hex')],
    ['an indefinite length', Buffer.from('9fff', 'hex')],
    ['three items', encode([new Uint8Array(), new Map(), new Uint8Array()])],
  ])('%s', async ([, bytes]) => {
    expect(await refusal(bytes)).toBe(noMessage)
  })

  test('a message cut anywhere', async () => {
    for (let length = 0; length < whole.length; length += 7) {
      expect(await refusal(whole.subarray(0, length))).toBe(noMessage)
    }
  })

  test('a payload that is no map, or too long', async () => {
    expect(await refusal(signedDocument(enclave, encode([1])))).toBe(
      because('its payload is not a map'),
    )
    expect(await refusal(signedDocument(enclave, Buffer.alloc(16_385)))).toBe(
      because('its payload is too long'),
    )
  })

  test('anything', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), async (bytes) => {
        await refusal(bytes)
      }),
    )
  })

  test('anything that is signed', async () => {
    const claim = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.string(),
      fc.integer(),
      fc.constant(null),
      fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 3 }),
      fc.constant(new Map()),
    )
    const names = [...claimsOf(enclave).keys()]
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), claim, async (name, value) => {
        fc.pre(!(value === null && ['user_data', 'nonce'].includes(name)))
        fc.pre(!(value instanceof Uint8Array && ['user_data', 'nonce'].includes(name)))
        fc.pre(!(name === 'module_id' && typeof value === 'string' && value !== ''))
        await refusal(documentOf(enclave, { [name]: value }))
      }),
    )
  })

  test('a document of which any bit was changed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length * 8 - 1), async (bit) => {
        const changed = Buffer.from(whole)
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        await refusal(changed)
      }),
      { numRuns: 200 },
    )
  })
})
