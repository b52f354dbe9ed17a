/**
 * What refusals give away: whoever may not use a key is answered the same whether it exists, what it
 * is, which state it is in and what grants it has.
 */
import { PutKeyPolicyCommand } from '@aws-sdk/client-kms'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { allow, givenGrant } from '../../support/grants.ts'
import {
  givenDisabledKey,
  givenKey,
  givenKeyPendingDeletion,
  kmsClient,
} from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { servedOperations } from '../../support/served-operations.ts'
import { givenTenantsStack, type User } from '../../support/tenants-stack.ts'

const stack = await givenTenantsStack()
afterAll(() => stack.close())

const { admin } = stack
const kms = kmsClient(admin)
const other = await stack.tenant('444455556666')
const nobody = await stack.user(admin.account, 'nobody')
const stranger = await stack.user(other.account, 'stranger')
const able = await stack.user(other.account, 'able', allow('kms:*'))
const base = `arn:aws:kms:us-east-1:${admin.account}:key/`
const ABSENT = '00000000-0000-0000-0000-000000000000'

const granted = await givenKey(kms)
const { token } = await givenGrant(kms, granted.keyId, admin)
const closed = await givenKey(kms)
await kms.send(
  new PutKeyPolicyCommand({
    KeyId: closed.keyId,
    Policy: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { AWS: admin.arn }, Action: 'kms:*', Resource: '*' },
      ],
    }),
  }),
)
const keys = [
  (await givenKey(kms)).keyId,
  granted.keyId,
  closed.keyId,
  (await givenDisabledKey(kms)).keyId,
  (await givenKeyPendingDeletion(kms)).keyId,
  (await givenKey(kms, { Origin: 'EXTERNAL' })).keyId,
  (await givenKey(kms, { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' })).keyId,
  (await givenKey(kms, { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' })).keyId,
  (await givenKey(kms, { MultiRegion: true })).keyId,
  '11111111-1111-1111-1111-111111111111',
]

const data = 'eA=='
/** What each operation needs beside the key for its request to be well-formed. */
const INPUTS: Readonly<Record<string, object>> = {
  CreateAlias: { AliasName: 'alias/leaks' },
  CreateGrant: { GranteePrincipal: admin.arn, Operations: ['Encrypt'] },
  Decapsulate: { SharedSecretCiphertextBlob: data, EncapsulationAlgorithm: 'ML_KEM' },
  DeriveSharedSecret: { KeyAgreementAlgorithm: 'ECDH', PublicKey: data },
  Encapsulate: { EncapsulationAlgorithm: 'ML_KEM' },
  Encrypt: { Plaintext: data },
  GenerateDataKey: { KeySpec: 'AES_256' },
  GenerateDataKeyPair: { KeyPairSpec: 'ECC_NIST_P256' },
  GenerateDataKeyPairWithoutPlaintext: { KeyPairSpec: 'ECC_NIST_P256' },
  GenerateMac: { Message: data, MacAlgorithm: 'HMAC_SHA_256' },
  GetParametersForImport: { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' },
  ImportKeyMaterial: { ImportToken: data, EncryptedKeyMaterial: data },
  PutKeyPolicy: { Policy: '{}' },
  ReplicateKey: { ReplicaRegion: 'eu-west-1' },
  RevokeGrant: { GrantId: '0'.repeat(64) },
  RetireGrant: { GrantId: '0'.repeat(64) },
  Sign: { Message: data, SigningAlgorithm: 'RSASSA_PSS_SHA_256' },
  TagResource: { Tags: [{ TagKey: 'a', TagValue: 'b' }] },
  UntagResource: { TagKeys: ['a'] },
  UpdateKeyDescription: { Description: '' },
  UpdatePrimaryRegion: { PrimaryRegion: 'eu-west-1' },
  Verify: { Message: data, Signature: data, SigningAlgorithm: 'RSASSA_PSS_SHA_256' },
  VerifyMac: { Message: data, Mac: data, MacAlgorithm: 'HMAC_SHA_256' },
}
/** Operations that name no key in `KeyId`, or one in a ciphertext beside it. */
const WITHOUT_KEY =
  /^(?:CreateKey|List(?:Keys|Aliases|RetirableGrants)|DeleteAlias|UpdateAlias|GenerateRandom|ReEncrypt|Decrypt|.*CustomKeyStores?)$/
const operations = [...(await servedOperations()).keys()].filter((name) => !WITHOUT_KEY.test(name))

/** What a caller is told, with the key's id taken out of it: the request itself says that. */
async function told(user: User, operation: string, keyId: string, input: object) {
  const KeyId = operation === 'RetireGrant' || user !== nobody ? base + keyId : keyId
  const name = operation === 'CreateAlias' ? 'TargetKeyId' : 'KeyId'
  const request = { ...INPUTS[operation], ...input, [name]: KeyId }
  const answer = jsonOf(await callKms(user, operation, request))
  return JSON.stringify(answer).replaceAll(keyId, '<key>')
}

test.for([
  ['of the own account', nobody],
  ['of another account', stranger],
  ['of another account, whose own account lets it all', able],
] as const)('Whoever may not use a key %s learns nothing of it', async ([, user]) => {
  const expected = new Map<string, string>()
  for (const operation of operations) {
    const answer = await told(user, operation, ABSENT, {})
    expect([operation, answer]).toEqual([operation, expect.stringContaining('AccessDenied')])
    expected.set(operation, answer)
  }
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...operations),
      fc.constantFrom(...keys),
      fc.constantFrom({}, { DryRun: true }, { GrantTokens: [token] }),
      async (operation, keyId, input) => {
        expect(await told(user, operation, keyId, input)).toBe(expected.get(operation))
      },
    ),
    { numRuns: 300 },
  )
})
