import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readSeed } from '../../../../infra/local/seed/read-seed.ts'
import type { SeedKey, SeedTerms } from '../../../../infra/local/seed/seed.ts'
import { StartProblem } from '../../../../infra/local/start-problem.ts'
import { parseAccountId, parseRegion, type Region } from '../../../../shared/ids.ts'
import { keySpec } from '../../../../shared/keys/key-specs.ts'

const KEY_ID = 'bc436485-5092-42b8-92a3-0aa8b93536dc'
const OTHER_KEY_ID = '49c5492b-b1bc-42a8-9a5c-b2015e810c1c'
const HEX = '5cdaead27fe7da2de47945d73cd6d79e36494e73802f3cd3869f1d2cb0b5d7a9'
const OTHER_HEX = '34743777217A25432A46294A404E635266556A586E3272357538782F413F4428'
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'

const TERMS: SeedTerms = {
  regions: [parseRegion('us-east-1') as Region, parseRegion('eu-west-1') as Region],
  account: undefined,
}

const read = (text: string, terms = TERMS) => readSeed('keyhold.seed.yaml', text, terms)

/** A seed of one tenant with these lines below it, which begin at line 3. */
const tenantWith = (...lines: readonly string[]): string =>
  ['tenants:', '  - accountId: "123456789012"', ...lines.map((line) => `    ${line}`)].join('\n')

const keysOf = (text: string): readonly SeedKey[] => read(text).tenants[0]?.keys ?? []

function pem(
  pair: { readonly privateKey: ReturnType<typeof createPrivateKey> },
  type: 'pkcs8' | 'pkcs1' | 'sec1' = 'pkcs8',
): readonly string[] {
  const text = pair.privateKey.export({ type: type as 'pkcs8', format: 'pem' }) as string
  return text.trimEnd().split('\n')
}

const p256 = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

describe('A seed', () => {
  test('says all that it says', () => {
    const seed = read(
      tenantWith(
        'name: payments',
        'users:',
        `  - { name: admin, accessKeyId: AKIAIOSFODNN7EXAMPLE, secretAccessKey: "${SECRET}", administrator: true }`,
        '  - { name: auditor, policies: [{ name: look, document: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "kms:*", Resource: "*" }] } }] }',
        'keys:',
        `  - { keyId: ${KEY_ID}, region: eu-west-1, material: [${HEX}, ${OTHER_HEX}], aliases: [alias/testing], tags: { team: payments }, description: for tests }`,
        'buckets:',
        '  - { name: ledger }',
      ),
    )
    expect(seed.tenants).toMatchObject([
      {
        account: '123456789012',
        name: 'payments',
        users: [
          {
            name: 'admin',
            administrator: true,
            accessKey: { id: 'AKIAIOSFODNN7EXAMPLE', secret: SECRET },
          },
          {
            name: 'auditor',
            administrator: false,
            accessKey: null,
            policies: [
              {
                name: 'look',
                document:
                  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"}]}',
              },
            ],
          },
        ],
        keys: [
          {
            keyId: KEY_ID,
            region: 'eu-west-1',
            keySpec: 'SYMMETRIC_DEFAULT',
            keyUsage: 'ENCRYPT_DECRYPT',
            origin: 'AWS_KMS',
            description: 'for tests',
            materials: [Buffer.from(HEX, 'hex'), Buffer.from(OTHER_HEX, 'hex')],
            tags: [{ TagKey: 'team', TagValue: 'payments' }],
            policy: null,
          },
        ],
        aliases: [{ name: 'alias/testing', region: 'eu-west-1', keyId: KEY_ID }],
        buckets: [{ name: 'ledger', region: 'us-east-1' }],
      },
    ])
  })

  test.each(['', 'tenants:', 'tenants: []', '{}'])('may say nothing: %j', (text) => {
    if (text === '') expect(() => read(text)).toThrow('keyhold.seed.yaml:1: A mapping is expected')
    else if (text === 'tenants:') expect(() => read(text)).toThrow(':1: A list is expected')
    else expect(read(text)).toEqual({ tenants: [] })
  })

  test('takes digits without quotation marks as they are written', () => {
    const digits = '0123456789'.repeat(6).concat('0123')
    const text = `tenants:\n  - accountId: 000000000012\n    keys: [{ keyId: ${KEY_ID}, material: [${digits}] }]`
    const [tenant] = read(text).tenants
    expect(tenant?.account).toBe('000000000012')
    expect(tenant?.keys[0]?.materials).toEqual([Buffer.from(digits, 'hex')])
  })

  test('may name a thing once and use it again', () => {
    const text = tenantWith(
      'keys:',
      `  - { keyId: ${KEY_ID}, material: &same [${HEX}] }`,
      `  - { keyId: ${OTHER_KEY_ID}, material: *same }`,
    )
    const [first, second] = keysOf(text)
    expect(second?.materials).toEqual(first?.materials)
  })

  test('takes private keys in every form of PEM, and finds out their spec', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const given = [pem(p256(), 'sec1'), pem(generateKeyPairSync('ed25519')), pem(rsa, 'pkcs1')]
    const lines = given.flatMap((text, index) => [
      `  - keyId: 0000000${index}-5092-42b8-92a3-0aa8b93536dc`,
      '    keyUsage: SIGN_VERIFY',
      '    pem: |',
      ...text.map((line) => `      ${line}`),
    ])
    const keys = keysOf(tenantWith('keys:', ...lines))
    expect(keys.map(({ keySpec }) => keySpec)).toEqual([
      'ECC_NIST_P256',
      'ECC_NIST_EDWARDS25519',
      'RSA_2048',
    ])
    const stored = createPrivateKey({
      key: keys[2]?.materials[0] ?? Buffer.alloc(0),
      format: 'der',
      type: 'pkcs8',
    })
    expect(stored.equals(rsa.privateKey)).toBe(true)
  })

  test.each([
    ['ml-dsa-65', 'ML_DSA_65'],
    ['ml-kem-768', 'ML_KEM_768'],
  ] as const)(
    'keeps a private key of %s as its seed, whatever else stands with it',
    (type, spec) => {
      const { privateKey } = generateKeyPairSync(type as 'ml-dsa-65')
      const lines = pem({ privateKey })
      const [key] = keysOf(
        tenantWith(
          'keys:',
          `  - keyId: ${KEY_ID}`,
          '    pem: |',
          ...lines.map((line) => `      ${line}`),
        ),
      )
      expect(key?.keySpec).toBe(spec)
      const stored = key?.materials[0] ?? Buffer.alloc(0)
      expect(stored.length).toBeLessThan(100)
      expect(keySpec(spec).open(stored).equals(privateKey)).toBe(true)
    },
  )

  test('gives keys without material some at random, and those to be imported none', () => {
    const keys = keysOf(
      tenantWith(
        'keys:',
        `  - { keyId: ${KEY_ID}, keySpec: RSA_4096, keyUsage: ENCRYPT_DECRYPT }`,
        `  - { keyId: ${OTHER_KEY_ID}, origin: EXTERNAL }`,
      ),
    )
    expect(keys).toMatchObject([
      { keySpec: 'RSA_4096', materials: [], origin: 'AWS_KMS' },
      { keySpec: 'SYMMETRIC_DEFAULT', materials: [], origin: 'EXTERNAL' },
    ])
  })
})

describe('A mistake is named with its line', () => {
  const key = (members: string) => tenantWith('keys:', `  - { keyId: ${KEY_ID}, ${members} }`)
  const user = (members: string) => tenantWith('users:', `  - { ${members} }`)
  const credentials = `accessKeyId: AKIAIOSFODNN7EXAMPLE, secretAccessKey: "${SECRET}"`

  test.each([
    ['tenants: [', 1, /Flow sequence/],
    ['tenants:\n  - accountId: "1"\n    accountId: "2"', 3, /unique/],
    ['tenant: []', 1, /There is no "tenant" here; there may be tenants/],
    ['- a', 1, /A mapping is expected/],
    ['tenants: 7', 1, /A list is expected/],
    ['tenants:\n  - name: payments', 2, /A tenant needs an accountId/],
    ['tenants:\n\n  - accountId: "12"', 3, /must be twelve digits, not "12"/],
    [tenantWith('user: []'), 3, /There is no "user" here/],
    [user('administrator: true'), 4, /A user needs a name/],
    [user('name: "a/b"'), 4, /the name of a user/],
    [user('name: a, administrator: yes'), 4, /true or false/],
    [user('name: a, administrator: true, policies: []'), 4, /needs no policies/],
    [user('name: a, accessKeyId: AKIAIOSFODNN7EXAMPLE'), 4, /needs a secretAccessKey/],
    [user(`name: a, secretAccessKey: "${SECRET}"`), 4, /needs an accessKeyId/],
    [
      user('name: a, accessKeyId: short, secretAccessKey: 0123456789abcdef'),
      4,
      /16 to 128 capital/,
    ],
    [user('name: a, accessKeyId: AKIAIOSFODNN7EXAMPLE, secretAccessKey: short'), 4, /16 to 128/],
    [user('name: a, policies: [{ name: p, document: "{" }]'), 4, /This policy is not good/],
    [user('name: a, policies: [{ name: p, document: { Statement: 7 } }]'), 4, /not good/],
    [user('name: a, policies: [{ document: {} }]'), 4, /A policy needs a name/],
    [
      tenantWith('users:', `  - { name: a, ${credentials} }`, `  - { name: b, ${credentials} }`),
      5,
      /access key AKIAIOSFODNN7EXAMPLE is there already, at line 4/,
    ],
    [tenantWith('users: [{ name: a }, { name: a }]'), 3, /The user a is there already/],
    [tenantWith('keys: [{}]'), 3, /A key needs a keyId/],
    [tenantWith('keys: [{ keyId: short }]'), 3, /the id of a key/],
    [key('region: mars'), 4, /the name of a Region/],
    [key('region: eu-north-1'), 4, /eu-north-1 is not served/],
    [key('keySpec: AES_256'), 4, /a key spec such as RSA_2048, not "AES_256"/],
    [
      key('keySpec: RSA_2048'),
      4,
      /keyUsage must be a usage of RSA_2048: ENCRYPT_DECRYPT or SIGN_VERIFY/,
    ],
    [key('keyUsage: SIGN_VERIFY'), 4, /a usage of SYMMETRIC_DEFAULT/],
    [key('origin: AWS_CLOUDHSM'), 4, /AWS_KMS or EXTERNAL/],
    [key(`material: ${HEX}`), 4, /A list is expected/],
    [
      key('material: ["zz"]'),
      4,
      /not the hex of material for SYMMETRIC_DEFAULT: 64 digits are wanted, there are 2 characters/,
    ],
    [key('keySpec: HMAC_256, material: ["00"]'), 4, /64 to 256 digits are wanted/],
    [key(`material: ["${HEX}00"]`), 4, /not the hex/],
    [key(`keySpec: HMAC_256, material: ["${HEX}", "${OTHER_HEX}"]`), 4, /An HMAC key has one/],
    [key(`keySpec: RSA_2048, keyUsage: SIGN_VERIFY, material: ["${HEX}"]`), 4, /given as pem/],
    [key('pem: "no key"'), 4, /not a private key in PEM/],
    [key(`material: ["${HEX}"], pem: "x"`), 4, /not both/],
    [key('aliases: [testing]'), 4, /prefix "alias\/"/],
    [key('aliases: [alias/aws/s3]'), 4, /alias\/aws\/s3 cannot be seeded: names .* managed keys/],
    [key('grants: [{ name: g, granteePrincipal: a }]'), 4, /A grant needs operations/],
    [key('grants: [{ granteePrincipal: a, operations: [Decrypt] }]'), 4, /needs a name/],
    [key('grants: [{ name: g, operations: [Decrypt] }]'), 4, /needs a granteePrincipal/],
    [
      key('grants: [{ name: g, granteePrincipal: a, operations: [Fly] }]'),
      4,
      /can be granted, not "Fly"/,
    ],
    [
      key('grants: [{ name: g, granteePrincipal: a, operations: [Sign] }]'),
      4,
      /Operations \[Sign\] are not supported/,
    ],
    [key('aliases: [alias/a, alias/a]'), 4, /The alias alias\/a of us-east-1 is there already/],
    [key('policy: { Version: "2012-10-17" }'), 4, /This policy is not good/],
    [key('tags: { "aws:x": y }'), 4, /reserved/],
    [key('tags: [a]'), 4, /A mapping is expected/],
    [key(`tags: { ${'a'.repeat(129)}: y }`), 4, /1 to 128 characters/],
    [key('tags: { "": y }'), 4, /1 to 128 characters/],
    [key(`tags: { x: ${'a'.repeat(257)} }`), 4, /at most 256 characters/],
    [key(`description: ${'a'.repeat(8193)}`), 4, /at most 8192 characters/],
    [key('policy: { Statement: *none }'), 4, /An alias/],
    [key('policy: &itself { Statement: *itself }'), 4, /An alias/],
    [key(`material: ["${HEX}", "${HEX.toUpperCase()}"]`), 4, /this material already/],
    [key('keySpec: ML_DSA_44, origin: EXTERNAL'), 4, /not supported for Origin EXTERNAL/],
    [key('nextRotation: 2027-02-30'), 4, /a time such as/],
    ['tenants: []\n---\ntenants: []', 2, /one document/],
    [key('nextRotation: soon'), 4, /a time such as/],
    [
      key('origin: EXTERNAL, nextRotation: 2027-01-01T00:00:00Z'),
      4,
      /whose material is not imported/,
    ],
    [
      tenantWith(`keys: [{ keyId: ${KEY_ID} }, { keyId: ${KEY_ID.toUpperCase()} }]`),
      3,
      /The key bc436485-.* is there already/,
    ],
    [tenantWith('buckets: [{ name: A }]'), 3, /the name of a bucket/],
    [tenantWith('buckets: [{}]'), 3, /A bucket needs a name/],
    [
      `${tenantWith('name: a')}\n  - accountId: "123456789012"`,
      4,
      /The tenant 123456789012 is there already, at line 2/,
    ],
  ])('%s', (text, line, reason) => {
    const attempt = () => read(text)
    expect(attempt).toThrow(StartProblem)
    expect(attempt).toThrow(new RegExp(`^keyhold\\.seed\\.yaml:${line}: `))
    expect(attempt).toThrow(reason)
    expect(attempt).not.toThrow('\n')
  })

  test('and never with a secret', () => {
    const secrets = ['too short', `${HEX}00`]
    for (const text of [
      user('name: a, accessKeyId: AKIAIOSFODNN7EXAMPLE, secretAccessKey: too short'),
      key(`material: ["${HEX}00"]`),
    ]) {
      for (const secret of secrets) expect(() => read(text)).not.toThrow(secret)
    }
  })

  test('whatever the file holds: a seed or a start problem, nothing else', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json().map((text) => `tenants: [${text}]`),
      fc.json().map((text) => `Keys: ${text}`),
    )
    fc.assert(
      fc.property(anything, (text) => {
        try {
          read(text)
        } catch (error) {
          if (!(error instanceof StartProblem)) throw error
        }
      }),
    )
  })
})

describe('A seed of local-kms', () => {
  const ec = pem(p256(), 'sec1')
  const byKind = `Keys:
  Symmetric:
    Aes:
      - Metadata:
          KeyId: ${KEY_ID}
          Description: "Your key description"
        NextKeyRotation: "2019-09-12T15:19:21+00:00"
        BackingKeys:
          - ${OTHER_HEX}
          - ${HEX}
      - Metadata:
          KeyId: 5ef77041-d1e6-4af1-9a41-e49a4b45efb6
          Origin: EXTERNAL
        BackingKeys:
          - ${HEX}
      - Metadata:
          KeyId: 5d05267f-bb87-4d0b-8594-295a4371d414
          Origin: EXTERNAL
    Hmac:
      - Metadata:
          KeyId: f1234567-89ab-cdef-0123-456789abcdef
          KeyUsage: GENERATE_VERIFY_MAC
          KeySpec: HMAC_256
        BackingKeys:
          - ${HEX}
  Asymmetric:
    Ecc:
      - Metadata:
          KeyId: 800d5768-3fd7-4edd-a4b8-4c81c3e4c147
        PrivateKeyPem: |
${ec.map((line) => `          ${line}`).join('\n')}
Aliases:
  - AliasName: alias/testing
    TargetKeyId: ${KEY_ID}
`

  test('by kind goes to its account and the first Region', () => {
    const [tenant] = read(byKind).tenants
    expect(tenant).toMatchObject({
      account: '111122223333',
      users: [],
      keys: [
        {
          keyId: KEY_ID,
          region: 'us-east-1',
          description: 'Your key description',
          materials: [Buffer.from(OTHER_HEX, 'hex'), Buffer.from(HEX, 'hex')],
          nextRotation: Date.parse('2019-09-12T15:19:21Z'),
        },
        { origin: 'EXTERNAL', materials: [Buffer.from(HEX, 'hex')] },
        { origin: 'EXTERNAL', materials: [] },
        { keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC' },
        { keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY' },
      ],
      aliases: [{ name: 'alias/testing', keyId: KEY_ID }],
    })
  })

  test('goes to the account that is given', () => {
    const account = parseAccountId('999988887777') ?? undefined
    expect(read(byKind, { ...TERMS, account }).tenants[0]?.account).toBe('999988887777')
  })

  test('as a list of AES keys is read too', () => {
    const text = `Keys:\n  - Metadata:\n      KeyId: ${KEY_ID}\n    BackingKeys: [${HEX}]\n`
    expect(keysOf(text)).toMatchObject([{ keyId: KEY_ID, keySpec: 'SYMMETRIC_DEFAULT' }])
  })

  test('of version 2 is read too', () => {
    const text = `Version: 2
Keys:
  - KeyId: ${KEY_ID}
    Metadata:
      KeySpec: HMAC_224
      KeyUsage: GENERATE_VERIFY_MAC
    Material:
      BackingKeys: [96BD7CDAEDA685EDEED9EA27DAF3464B39A22202BCD28EA085244D8A]
  - KeyId: ${OTHER_KEY_ID}
    Metadata: { KeySpec: ECC_NIST_P256, KeyUsage: KEY_AGREEMENT }
    Material:
      PrivateKeyPem: |
${ec.map((line) => `        ${line}`).join('\n')}
`
    expect(keysOf(text)).toMatchObject([
      { keySpec: 'HMAC_224', keyUsage: 'GENERATE_VERIFY_MAC' },
      { keySpec: 'ECC_NIST_P256', keyUsage: 'KEY_AGREEMENT' },
    ])
  })

  test.each([
    [`Keys:\n  - Metadata:\n      KeyId: ${KEY_ID}`, 2, /needs BackingKeys/],
    [`Keys:\n  - BackingKeys: [${HEX}]`, 2, /A key needs a KeyId/],
    ['Keys: []\nAliases:\n  - AliasName: alias/a', 3, /needs a TargetKeyId/],
    [
      `Keys: []\nAliases:\n  - AliasName: alias/a\n    TargetKeyId: ${KEY_ID}`,
      4,
      /There is no key/,
    ],
    ['Keys:\n  Symmetric:\n    Aes: 7', 3, /A list is expected/],
    ['Version: 3\nKeys: []', 1, /This must be 1 or 2, not "3"/],
    [
      `Keys:\n  - Metadata:\n      KeyId: ${KEY_ID}\n    BackingKey: [${HEX}]`,
      4,
      /There is no "BackingKey" here; BackingKeys is what it is called/,
    ],
    [
      `Keys:\n  - KeyId: ${KEY_ID}\n    Metadata: { Origin: EXTERNAL }\n    Material:\n      backingKeys: []`,
      5,
      /There is no "backingKeys" here/,
    ],
    [
      `Keys:\n  - Metadata: { KeyId: ${KEY_ID} }\n    PrivateKeyPEM: x`,
      3,
      /PrivateKeyPem is what it is called/,
    ],
    ['Keys: []\nAliases:\n  - AliasName: alias/aws/s3\n    TargetKeyId: x', 4, /a UUID/],
  ])('with a mistake: %s', (text, line, reason) => {
    expect(() => read(text)).toThrow(reason)
    expect(() => read(text)).toThrow(new RegExp(`^keyhold\\.seed\\.yaml:${line}: `))
  })
})
