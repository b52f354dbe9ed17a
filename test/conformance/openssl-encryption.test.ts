/** OpenSSL's command line on the other side: what it encrypts is opened, and it agrees on secrets. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  DecapsulateCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  EncryptCommand,
  GenerateDataKeyPairCommand,
} from '@aws-sdk/client-kms'
import { afterAll, expect, test } from 'vitest'
import { publicKeyOf } from '../support/key-use.ts'
import { givenKey, kmsClient } from '../support/kms.ts'
import { givenStack } from '../support/stack-client.ts'

const run = promisify(execFile)
const kms = kmsClient(givenStack())
const folder = mkdtempSync(join(tmpdir(), 'keyhold-openssl-'))
const file = (name: string): string => join(folder, name)
const openssl = async (...args: readonly string[]): Promise<string> =>
  (await run('openssl', args, { cwd: folder })).stdout

const version = await openssl('version').catch(() => null)
if (version === null) console.warn("skipped: the 'openssl' command is not installed")
const hasKem = Number.parseFloat(/OpenSSL ([\d.]+)/.exec(version ?? '')?.[1] ?? '0') >= 3.5
if (version !== null && !hasKem) console.warn(`skipped: ML-KEM, which ${version.trim()} lacks`)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const oaep = (digest: string): readonly string[] =>
  ['rsa_padding_mode:oaep', `rsa_oaep_md:${digest}`, `rsa_mgf1_md:${digest}`].flatMap((option) => [
    '-pkeyopt',
    option,
  ])

test.skipIf(version === null).each([
  ['RSA_2048', 'RSAES_OAEP_SHA_1', 'sha1'],
  ['RSA_2048', 'RSAES_OAEP_SHA_256', 'sha256'],
  ['RSA_3072', 'RSAES_OAEP_SHA_256', 'sha256'],
  ['RSA_4096', 'RSAES_OAEP_SHA_256', 'sha256'],
] as const)(
  '%s, %s: Decrypt opens what openssl encrypts under the exported key',
  async (KeySpec, EncryptionAlgorithm, digest) => {
    const key = await givenKey(kms, { KeySpec, KeyUsage: 'ENCRYPT_DECRYPT' })
    writeFileSync(file('public.der'), (await publicKeyOf(kms, key.keyId)).spki)
    writeFileSync(file('plain.bin'), 'made by openssl')
    const under = ['-pubin', '-keyform', 'DER', '-inkey', 'public.der', '-in', 'plain.bin']
    await openssl('pkeyutl', '-encrypt', ...under, ...oaep(digest), '-out', 'cipher.bin')
    const { Plaintext } = await kms.send(
      new DecryptCommand({
        KeyId: key.keyId,
        EncryptionAlgorithm,
        CiphertextBlob: readFileSync(file('cipher.bin')),
      }),
    )
    expect(Buffer.from(Plaintext ?? []).toString()).toBe('made by openssl')
  },
)

test.skipIf(version === null)('openssl reads an RSA data key pair', async () => {
  const { keyId: KeyId } = await givenKey(kms)
  const pair = await kms.send(new GenerateDataKeyPairCommand({ KeyId, KeyPairSpec: 'RSA_2048' }))
  writeFileSync(file('data.p8'), Buffer.from(pair.PrivateKeyPlaintext ?? []))
  writeFileSync(file('data.der'), Buffer.from(pair.PublicKey ?? []))
  writeFileSync(file('text.bin'), 'for the pair')
  const from = (key: string) => ['-keyform', 'DER', '-inkey', key]
  const padding = oaep('sha256')
  await openssl(
    'pkeyutl',
    '-encrypt',
    '-pubin',
    ...from('data.der'),
    ...padding,
    '-in',
    'text.bin',
    '-out',
    'sealed.bin',
  )
  const opened = await openssl(
    'pkeyutl',
    '-decrypt',
    ...from('data.p8'),
    ...padding,
    '-in',
    'sealed.bin',
  )
  expect(opened).toBe('for the pair')
})

test.skipIf(version === null)(
  'an RSA key of the service is not opened by another padding of openssl',
  async () => {
    const key = await givenKey(kms, { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
    const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256'
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId: key.keyId, EncryptionAlgorithm, Plaintext: Buffer.from('x') }),
    )
    expect(CiphertextBlob).toHaveLength(256)
    writeFileSync(file('pkcs1.der'), (await publicKeyOf(kms, key.keyId)).spki)
    writeFileSync(file('x.bin'), 'x')
    const under = ['-pubin', '-keyform', 'DER', '-inkey', 'pkcs1.der', '-in', 'x.bin']
    await openssl(
      'pkeyutl',
      '-encrypt',
      ...under,
      '-pkeyopt',
      'rsa_padding_mode:pkcs1',
      '-out',
      'pkcs1.bin',
    )
    const attempt = kms.send(
      new DecryptCommand({
        KeyId: key.keyId,
        EncryptionAlgorithm,
        CiphertextBlob: readFileSync(file('pkcs1.bin')),
      }),
    )
    await expect(attempt).rejects.toMatchObject({ name: 'InvalidCiphertextException' })
  },
)

test.skipIf(version === null).each([
  ['ECC_NIST_P256', 'P-256', 32],
  ['ECC_NIST_P384', 'P-384', 48],
  ['ECC_NIST_P521', 'P-521', 66],
] as const)('%s: openssl and DeriveSharedSecret agree', async (KeySpec, curve, length) => {
  const key = await givenKey(kms, { KeySpec, KeyUsage: 'KEY_AGREEMENT' })
  await openssl(
    'genpkey',
    '-algorithm',
    'EC',
    '-pkeyopt',
    `ec_paramgen_curve:${curve}`,
    '-out',
    'own.pem',
  )
  await openssl('pkey', '-in', 'own.pem', '-pubout', '-outform', 'DER', '-out', 'own.der')
  writeFileSync(file('service.der'), (await publicKeyOf(kms, key.keyId)).spki)
  await openssl('pkey', '-pubin', '-inform', 'DER', '-in', 'service.der', '-out', 'service.pem')
  await openssl(
    'pkeyutl',
    '-derive',
    '-inkey',
    'own.pem',
    '-peerkey',
    'service.pem',
    '-out',
    'secret.bin',
  )
  const { SharedSecret } = await kms.send(
    new DeriveSharedSecretCommand({
      KeyId: key.keyId,
      KeyAgreementAlgorithm: 'ECDH',
      PublicKey: readFileSync(file('own.der')),
    }),
  )
  expect(SharedSecret).toHaveLength(length)
  expect(Buffer.from(SharedSecret ?? [])).toEqual(readFileSync(file('secret.bin')))
})

test.skipIf(!hasKem)('ML_KEM_768: Decapsulate opens what openssl encapsulates', async () => {
  const key = await givenKey(kms, { KeySpec: 'ML_KEM_768', KeyUsage: 'ENCAPSULATE_DECAPSULATE' })
  writeFileSync(file('kem.der'), (await publicKeyOf(kms, key.keyId)).spki)
  const under = ['-pubin', '-keyform', 'DER', '-inkey', 'kem.der']
  await openssl('pkeyutl', '-encap', ...under, '-secret', 'kem-secret.bin', '-out', 'kem.bin')
  const { SharedSecret } = await kms.send(
    new DecapsulateCommand({
      KeyId: key.keyId,
      EncapsulationAlgorithm: 'ML_KEM',
      SharedSecretCiphertextBlob: readFileSync(file('kem.bin')),
    }),
  )
  expect(Buffer.from(SharedSecret ?? [])).toEqual(readFileSync(file('kem-secret.bin')))
})
