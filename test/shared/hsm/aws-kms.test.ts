import { createHash, randomBytes } from 'node:crypto'
import {
  DecryptCommand,
  type DecryptCommandInput,
  EncryptCommand,
  type EncryptCommandInput,
  IncorrectKeyException,
  InvalidCiphertextException,
  KMSClient,
  KMSInvalidStateException,
} from '@aws-sdk/client-kms'
import { mockClient } from 'aws-sdk-client-mock'
import { beforeEach, describe, expect, test } from 'vitest'
import { openAwsKmsHsm } from '../../../shared/hsm/aws-kms.ts'
import { HsmUnavailable, SealBroken } from '../../../shared/hsm/hsm.ts'
import { describeHsm } from './hsm-contract.ts'

const keyId = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const otherKeyId = 'arn:aws:kms:eu-central-1:111122223333:key/99999999-12ab-34cd-56ef-1234567890ab'
const keyBytes = Buffer.alloc(32, 0x42)
const aad = Buffer.from('aad')
const said = { $metadata: {}, message: '' }

/** What AWS KMS keeps to itself: which ciphertext is whose. Answers as its API reference says. */
function givenKms() {
  const client = new KMSClient({ region: 'eu-central-1' })
  const kms = mockClient(client)
  const sealed = new Map<string, EncryptCommandInput>()
  kms.on(EncryptCommand).callsFake((input: EncryptCommandInput) => {
    const CiphertextBlob = new Uint8Array(randomBytes(100))
    const Plaintext = Uint8Array.from(input.Plaintext ?? [])
    sealed.set(Buffer.from(CiphertextBlob).toString('hex'), { ...input, Plaintext })
    return { CiphertextBlob, KeyId: input.KeyId }
  })
  kms.on(DecryptCommand).callsFake((input: DecryptCommandInput) => {
    const found = sealed.get(Buffer.from(input.CiphertextBlob ?? []).toString('hex'))
    if (found === undefined) throw new InvalidCiphertextException(said)
    if (found.KeyId !== input.KeyId) throw new IncorrectKeyException(said)
    const same = JSON.stringify(found.EncryptionContext) === JSON.stringify(input.EncryptionContext)
    if (!same) throw new InvalidCiphertextException(said)
    return { Plaintext: Uint8Array.from(found.Plaintext ?? []), KeyId: input.KeyId }
  })
  return { client, kms }
}

describeHsm('AWS KMS', async () => {
  const { client } = givenKms()
  return {
    hsm: openAwsKmsHsm({ keyId, client }),
    other: openAwsKmsHsm({ keyId: otherKeyId, client }),
  }
})

describe('what AWS KMS is asked', () => {
  let { client, kms } = givenKms()

  beforeEach(() => {
    ;({ client, kms } = givenKms())
  })

  test('names the key in both calls and binds the AAD by its hash, which is all that is shown of it', async () => {
    const hsm = openAwsKmsHsm({ keyId, client })
    await hsm.open(hsm.rootKeyId, await hsm.seal(keyBytes, aad), aad)
    const EncryptionContext = {
      'keyhold:aad-sha256': createHash('sha256').update(aad).digest('hex'),
    }
    const inputs = kms.calls().map((call) => call.args[0].input)
    expect(inputs).toMatchObject([
      { KeyId: keyId, EncryptionContext },
      { KeyId: keyId, EncryptionContext },
    ])
  })

  test('a record that names another key is refused without asking', async () => {
    const hsm = openAwsKmsHsm({ keyId, client })
    const attempt = hsm.open(`aws-kms:${otherKeyId}`, Buffer.alloc(100), aad)
    await expect(attempt).rejects.toThrow(SealBroken)
    expect(kms.calls()).toHaveLength(0)
  })

  test('the root key is named by the key that was given', () => {
    expect(openAwsKmsHsm({ keyId, client }).rootKeyId).toBe(`aws-kms:${keyId}`)
  })

  test.each(['alias/root', 'arn:aws:kms:eu-central-1:111122223333:alias/root'])(
    'refuses the alias %s',
    (alias) => {
      expect(() => openAwsKmsHsm({ keyId: alias, client })).toThrow(TypeError)
    },
  )

  test('wipes the copy of the key that the SDK made', async () => {
    const Plaintext = new Uint8Array(32).fill(5)
    kms.on(DecryptCommand).resolves({ Plaintext })
    const hsm = openAwsKmsHsm({ keyId, client })
    expect(await hsm.open(hsm.rootKeyId, Buffer.alloc(100), aad)).toEqual(Buffer.alloc(32, 5))
    expect(Plaintext).toEqual(new Uint8Array(32))
  })

  test('a client that was given stays open when the provider closes', async () => {
    let destroyed = false
    client.destroy = () => {
      destroyed = true
    }
    await openAwsKmsHsm({ keyId, client }).close()
    expect(destroyed).toBe(false)
    const other = openAwsKmsHsm({ keyId, client })
    await expect(other.seal(keyBytes, aad)).resolves.toBeInstanceOf(Uint8Array)
  })
})

describe('what AWS KMS answers', () => {
  const { client, kms } = givenKms()
  const hsm = openAwsKmsHsm({ keyId, client })
  const open = (): Promise<Buffer> => hsm.open(hsm.rootKeyId, Buffer.alloc(100), aad)

  const named = (name: string): Error => Object.assign(new Error('canary'), { name })

  test.each([
    new KMSInvalidStateException(said),
    named('DisabledException'),
    named('AccessDeniedException'),
    named('NotFoundException'),
    named('ThrottlingException'),
    named('TimeoutError'),
  ])('an error that is not the record’s fault means unavailable: $name', async (error) => {
    kms.on(DecryptCommand).rejects(error).on(EncryptCommand).rejects(error)
    await expect(open()).rejects.toThrow(HsmUnavailable)
    await expect(hsm.seal(keyBytes, aad)).rejects.toThrow(HsmUnavailable)
    await expect(open()).rejects.not.toThrow('canary')
    await expect(open()).rejects.toHaveProperty('cause', error)
  })

  test.each([new InvalidCiphertextException(said), new IncorrectKeyException(said)])(
    'an error about the ciphertext means a broken seal: $name',
    async (error) => {
      kms.on(DecryptCommand).rejects(error)
      await expect(open()).rejects.toThrow(SealBroken)
      await expect(open()).rejects.toHaveProperty('cause', error)
    },
  )

  test('an answer of another length is not taken for a key', async () => {
    kms.on(DecryptCommand).resolves({ Plaintext: new Uint8Array(31) })
    await expect(open()).rejects.toThrow(SealBroken)
    kms.on(DecryptCommand).resolves({})
    await expect(open()).rejects.toThrow(SealBroken)
  })

  test('an answer without ciphertext is no seal', async () => {
    kms.on(EncryptCommand).resolves({})
    await expect(hsm.seal(keyBytes, aad)).rejects.toThrow(HsmUnavailable)
  })
})
