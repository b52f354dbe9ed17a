/** The AWS Encryption SDK for JavaScript with keyrings on our keys. */
import { randomBytes } from 'node:crypto'
import {
  AwsKmsMrkAwareSymmetricDiscoveryKeyringNode,
  buildAwsKmsMrkAwareStrictMultiKeyringNode,
  buildClient,
  CommitmentPolicy,
  KmsKeyringNode,
} from '@aws-crypto/client-node'
import {
  CreateGrantCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  KMS,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
} from '@aws-sdk/client-kms'
import { expect, test } from 'vitest'
import { givenAlias, givenKey } from '../support/kms.ts'
import { givenStack } from '../support/stack-client.ts'

const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
const stack = givenStack()
const kms = stack.kms()
const here = { endpoint: stack.endpoint, credentials: stack.credentials }

/** The SDK's own words for a client leave no room for members that are there and undefined. */
type SdkClient = ConstructorParameters<
  typeof AwsKmsMrkAwareSymmetricDiscoveryKeyringNode
>[0]['client']
const clientProvider = (region: string): SdkClient =>
  new KMS({ ...here, region: region || stack.region }) as unknown as SdkClient

const context = { purpose: 'conformance', tenant: 'ü' }
const plaintext = randomBytes(100_000) // many frames

const keyring = (generatorKeyId: string, ...keyIds: string[]): KmsKeyringNode =>
  new KmsKeyringNode({ clientProvider, generatorKeyId, keyIds })
/** A keyring that may decrypt with these keys and no others. */
const strict = (...keyIds: string[]): KmsKeyringNode =>
  new KmsKeyringNode({ clientProvider, keyIds })
const discovery = (accountID: string): KmsKeyringNode =>
  new KmsKeyringNode({
    clientProvider,
    discovery: true,
    discoveryFilter: { accountIDs: [accountID], partition: 'aws' },
  })

const encrypted = async (ring: KmsKeyringNode): Promise<Buffer> =>
  (await encrypt(ring, plaintext, { encryptionContext: context })).result

test('what a keyring on a key encrypts, it decrypts, with the context that was bound', async () => {
  const { arn } = await givenKey(kms)
  const message = await encrypted(keyring(arn))
  const { plaintext: opened, messageHeader } = await decrypt(strict(arn), message)
  expect(opened).toEqual(plaintext)
  expect(messageHeader.encryptionContext).toMatchObject(context)
  expect(messageHeader.encryptedDataKeys).toMatchObject([
    { providerId: 'aws-kms', providerInfo: arn },
  ])
})

test('an alias encrypts, and the key behind it decrypts', async () => {
  const { keyId, arn } = await givenKey(kms)
  const alias = arn.replace(/key\/.*/, await givenAlias(kms, keyId))
  const message = await encrypted(keyring(alias))
  expect((await decrypt(strict(arn), message)).plaintext).toEqual(plaintext)
})

test('a message for several keys is decrypted with any of them alone', async () => {
  const [generator, child] = [await givenKey(kms), await givenKey(kms)]
  const far = await givenKey(givenStack('us-west-2').kms())
  const message = await encrypted(keyring(generator.arn, child.arn, far.arn))
  for (const { arn } of [generator, child, far]) {
    expect((await decrypt(strict(arn), message)).plaintext).toEqual(plaintext)
  }
  await kms.send(new DisableKeyCommand({ KeyId: generator.keyId }))
  await expect(decrypt(strict(generator.arn), message)).rejects.toThrow('is disabled')
  const all = strict(generator.arn, child.arn)
  expect((await decrypt(all, message)).plaintext).toEqual(plaintext)
})

test('a keyring on another key refuses', async () => {
  const [one, other] = [await givenKey(kms), await givenKey(kms)]
  const message = await encrypted(keyring(one.arn))
  await expect(decrypt(strict(other.arn), message)).rejects.toThrow('unencryptedDataKey')
})

test('discovery finds the key by what the message says, within the account that it trusts', async () => {
  const { arn } = await givenKey(kms)
  const message = await encrypted(keyring(arn))
  expect((await decrypt(discovery(stack.account), message)).plaintext).toEqual(plaintext)
  await expect(decrypt(discovery('999988887777'), message)).rejects.toThrow('unencryptedDataKey')
})

test('a message whose context was changed is refused', async () => {
  const { arn } = await givenKey(kms)
  const message = await encrypted(keyring(arn))
  const changed = Buffer.from(message)
  changed.write('Conformance', message.indexOf('conformance'))
  await expect(decrypt(strict(arn), changed)).rejects.toThrow('InvalidCiphertextException')
  expect((await decrypt(strict(arn), message)).plaintext).toEqual(plaintext)
})

test('a message is decrypted after the key was rotated', async () => {
  const { keyId, arn } = await givenKey(kms)
  const message = await encrypted(keyring(arn))
  await kms.send(new RotateKeyOnDemandCommand({ KeyId: keyId }))
  expect((await decrypt(strict(arn), message)).plaintext).toEqual(plaintext)
})

test('grant tokens travel with the calls of a keyring', async () => {
  const { keyId, arn } = await givenKey(kms)
  const { GrantToken } = await kms.send(
    new CreateGrantCommand({
      KeyId: keyId,
      GranteePrincipal: `arn:aws:iam::${stack.account}:user/admin`,
      Operations: ['Encrypt', 'Decrypt', 'GenerateDataKey'],
    }),
  )
  const grantTokens = [GrantToken ?? '']
  const ring = new KmsKeyringNode({ clientProvider, generatorKeyId: arn, grantTokens })
  expect((await decrypt(ring, await encrypted(ring))).plaintext).toEqual(plaintext)
})

test('what a multi-Region key encrypts in one Region, its replica decrypts in another', async () => {
  const { keyId, arn } = await givenMultiRegionKey()
  const replica = arn.replace('us-east-1', 'us-west-2')
  const ringOf = (generatorKeyId: string) =>
    buildAwsKmsMrkAwareStrictMultiKeyringNode({ clientProvider, generatorKeyId })
  const { result } = await encrypt(ringOf(arn), plaintext, { encryptionContext: context })
  expect((await decrypt(ringOf(replica), result)).plaintext).toEqual(plaintext)
  const discoverer = new AwsKmsMrkAwareSymmetricDiscoveryKeyringNode({
    client: clientProvider('us-west-2'),
    discoveryFilter: { accountIDs: [stack.account], partition: 'aws' },
  })
  expect((await decrypt(discoverer, result)).plaintext).toEqual(plaintext)
  const elsewhere = new AwsKmsMrkAwareSymmetricDiscoveryKeyringNode({
    client: clientProvider('eu-west-1'),
  })
  await expect(decrypt(elsewhere, result)).rejects.toThrow(keyId)
})

/** In us-east-1, with a replica in us-west-2. */
async function givenMultiRegionKey() {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ MultiRegion: true }))
  const { KeyId: keyId = '', Arn: arn = '' } = KeyMetadata ?? {}
  await kms.send(new ReplicateKeyCommand({ KeyId: keyId, ReplicaRegion: 'us-west-2' }))
  const west = givenStack('us-west-2').kms()
  const describe = new DescribeKeyCommand({ KeyId: keyId })
  await expect
    .poll(async () => (await west.send(describe)).KeyMetadata?.KeyState, { timeout: 20_000 })
    .toBe('Enabled')
  return { keyId, arn }
}
