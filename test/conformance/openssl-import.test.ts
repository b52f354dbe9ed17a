/** Material made and wrapped by the `openssl` command, as AWS's guide shows it, and used on both sides. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  type AlgorithmSpec,
  DecryptCommand,
  DeriveSharedSecretCommand,
  EncryptCommand,
  GenerateMacCommand,
  ImportKeyMaterialCommand,
  type KeySpec,
  type KeyUsageType,
  SignCommand,
  type SigningAlgorithmSpec,
  type WrappingKeySpec,
} from '@aws-sdk/client-kms'
import { afterAll, describe, expect, test } from 'vitest'
import { givenExternalKey, givenParameters } from '../support/import.ts'
import { bytes, kmsClient } from '../support/kms.ts'
import { givenStack } from '../support/stack-client.ts'

const run = promisify(execFile)
const stack = givenStack()
const kms = kmsClient(stack)
const folder = mkdtempSync(join(tmpdir(), 'keyhold-openssl-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const installed = await run('openssl', ['version']).then(
  () => true,
  () => false,
)
if (!installed) console.warn("skipped: the 'openssl' command is not installed")

const file = (name: string): string => join(folder, name)
const put = (name: string, content: Uint8Array): string => {
  writeFileSync(file(name), content)
  return file(name)
}
const openssl = async (...args: readonly string[]): Promise<string> =>
  (await run('openssl', args, { cwd: folder })).stdout

const oaep = (hash: string): readonly string[] => [
  '-pkeyopt',
  'rsa_padding_mode:oaep',
  '-pkeyopt',
  `rsa_oaep_md:${hash}`,
  '-pkeyopt',
  `rsa_mgf1_md:${hash}`,
]

const encryptTo = (publicKey: string, hash: string, from: string, to: string) =>
  openssl(
    ...['pkeyutl', '-encrypt', '-in', from, '-out', to],
    ...['-inkey', publicKey, '-keyform', 'DER', '-pubin', ...oaep(hash)],
  )

/** @returns what goes into EncryptedKeyMaterial */
async function wrap(algorithm: AlgorithmSpec, publicKey: string, material: string) {
  const hash = algorithm.endsWith('SHA_1') ? 'sha1' : 'sha256'
  if (algorithm.startsWith('RSAES_OAEP')) {
    await encryptTo(publicKey, hash, material, 'EncryptedKeyMaterial.bin')
    return readFileSync(file('EncryptedKeyMaterial.bin'))
  }
  await openssl('rand', '-out', 'aes-key.bin', '32')
  const aesKey = readFileSync(file('aes-key.bin')).toString('hex')
  await openssl(
    ...['enc', '-id-aes256-wrap-pad', '-K', aesKey, '-iv', 'A65959A6'],
    ...['-in', material, '-out', 'key-material-wrapped.bin'],
  )
  await encryptTo(publicKey, hash, 'aes-key.bin', 'aes-key-wrapped.bin')
  return Buffer.concat(
    ['aes-key-wrapped.bin', 'key-material-wrapped.bin'].map((name) => readFileSync(file(name))),
  )
}

/** Imports the file as the key's material. */
async function importFile(
  [KeySpec, KeyUsage]: readonly [KeySpec, KeyUsageType],
  material: string,
  algorithm: AlgorithmSpec,
  wrappingKeySpec: WrappingKeySpec,
): Promise<string> {
  const { keyId } = await givenExternalKey(kms, { KeySpec, KeyUsage })
  const { ImportToken, PublicKey } = await givenParameters(kms, keyId, algorithm, wrappingKeySpec)
  const wrapped = await wrap(algorithm, put('WrappingPublicKey.bin', PublicKey), material)
  await kms.send(
    new ImportKeyMaterialCommand({
      KeyId: keyId,
      ImportToken,
      EncryptedKeyMaterial: wrapped,
      ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
    }),
  )
  return keyId
}

/** A private key as PKCS#8 in DER, and its public half in PEM. */
async function givenPrivateKey(...args: readonly string[]): Promise<string> {
  await openssl('genpkey', ...args, '-outform', 'PEM', '-out', 'private.pem')
  await openssl('pkey', '-in', 'private.pem', '-pubout', '-out', 'public.pem')
  await openssl(
    ...['pkcs8', '-topk8', '-nocrypt', '-in', 'private.pem'],
    ...['-outform', 'DER', '-out', 'private.der'],
  )
  return 'private.der'
}

const message = bytes('signed on both sides')
const OAEP = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] as const
const KEY_WRAP = ['RSA_AES_KEY_WRAP_SHA_1', 'RSA_AES_KEY_WRAP_SHA_256'] as const
const WRAPPING_KEYS = ['RSA_2048', 'RSA_3072', 'RSA_4096'] as const

describe.skipIf(!installed)('Wrapped by openssl,', () => {
  describe.for(OAEP)('with %s', (algorithm) => {
    test.for(WRAPPING_KEYS)('under %s, a symmetric key works', async (wrappingKeySpec) => {
      await openssl('rand', '-out', 'symmetric.bin', '32')
      const spec = ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT'] as const
      const KeyId = await importFile(spec, 'symmetric.bin', algorithm, wrappingKeySpec)
      const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext: message }))
      const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }))
      expect(Buffer.from(Plaintext ?? [])).toEqual(message)
    })
  })

  test.for([
    [224, 28],
    [256, 100],
    [384, 48],
    [512, 128],
  ] as const)('a key of HMAC_%i gives the MAC that openssl gives', async ([bits, length]) => {
    await openssl('rand', '-out', 'hmac.bin', String(length))
    const spec = [`HMAC_${bits}`, 'GENERATE_VERIFY_MAC'] as const
    const KeyId = await importFile(spec, 'hmac.bin', 'RSAES_OAEP_SHA_256', 'RSA_3072')
    const { Mac } = await kms.send(
      new GenerateMacCommand({ KeyId, MacAlgorithm: `HMAC_SHA_${bits}`, Message: message }),
    )
    const hexKey = readFileSync(file('hmac.bin')).toString('hex')
    await openssl(
      ...['dgst', `-sha${bits}`, '-mac', 'HMAC', '-macopt', `hexkey:${hexKey}`],
      ...['-binary', '-out', 'mac.bin', put('message.bin', message)],
    )
    expect(Buffer.from(Mac ?? [])).toEqual(readFileSync(file('mac.bin')))
  })

  const curves: readonly [
    KeySpec,
    string,
    SigningAlgorithmSpec,
    string,
    readonly AlgorithmSpec[],
  ][] = [
    ['ECC_NIST_P256', 'prime256v1', 'ECDSA_SHA_256', 'sha256', [...OAEP, ...KEY_WRAP]],
    ['ECC_NIST_P384', 'secp384r1', 'ECDSA_SHA_384', 'sha384', [...OAEP, ...KEY_WRAP]],
    ['ECC_NIST_P521', 'secp521r1', 'ECDSA_SHA_512', 'sha512', [...OAEP, ...KEY_WRAP]],
    ['ECC_SECG_P256K1', 'secp256k1', 'ECDSA_SHA_256', 'sha256', [...OAEP, ...KEY_WRAP]],
  ]
  describe.for(curves)('a key of %s', ([spec, curve, SigningAlgorithm, hash, algorithms]) => {
    test.for(algorithms)('that came by %s signs what openssl verifies', async (algorithm) => {
      const key = ['-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${curve}`]
      const material = await givenPrivateKey(...key)
      const KeyId = await importFile([spec, 'SIGN_VERIFY'], material, algorithm, 'RSA_3072')
      const { Signature } = await kms.send(
        new SignCommand({ KeyId, Message: message, SigningAlgorithm }),
      )
      put('signature.bin', Signature ?? new Uint8Array())
      expect(
        await openssl(
          ...['dgst', `-${hash}`, '-verify', 'public.pem', '-signature', 'signature.bin'],
          put('message.bin', message),
        ),
      ).toContain('Verified OK')
    })
  })

  test.for([...OAEP, ...KEY_WRAP])('a key of Ed25519 that came by %s signs', async (algorithm) => {
    const material = await givenPrivateKey('-algorithm', 'ED25519')
    const spec = ['ECC_NIST_EDWARDS25519', 'SIGN_VERIFY'] as const
    const KeyId = await importFile(spec, material, algorithm, 'RSA_3072')
    const { Signature } = await kms.send(
      new SignCommand({ KeyId, Message: message, SigningAlgorithm: 'ED25519_SHA_512' }),
    )
    put('signature.bin', Signature ?? new Uint8Array())
    expect(
      await openssl(
        ...['pkeyutl', '-verify', '-pubin', '-inkey', 'public.pem', '-rawin'],
        ...['-in', put('message.bin', message), '-sigfile', 'signature.bin'],
      ),
    ).toContain('Signature Verified Successfully')
  })

  test('a key that agrees on secrets agrees with openssl', async () => {
    const curve = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp384r1']
    const material = await givenPrivateKey(...curve)
    const spec = ['ECC_NIST_P384', 'KEY_AGREEMENT'] as const
    const KeyId = await importFile(spec, material, 'RSA_AES_KEY_WRAP_SHA_256', 'RSA_4096')
    await openssl('genpkey', ...curve, '-out', 'peer.pem')
    await openssl('pkey', '-in', 'peer.pem', '-pubout', '-outform', 'DER', '-out', 'peer.der')
    const { SharedSecret } = await kms.send(
      new DeriveSharedSecretCommand({
        KeyId,
        KeyAgreementAlgorithm: 'ECDH',
        PublicKey: readFileSync(file('peer.der')),
      }),
    )
    const derive = ['pkeyutl', '-derive', '-inkey', 'peer.pem', '-peerkey', 'public.pem']
    await openssl(...derive, '-out', 'secret.bin')
    expect(Buffer.from(SharedSecret ?? [])).toEqual(readFileSync(file('secret.bin')))
  })

  describe.for([2048, 3072, 4096] as const)('a key of RSA_%i', (bits) => {
    test.for(KEY_WRAP)('that came by %s decrypts and signs', async (algorithm) => {
      const rsa = ['-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${bits}`]
      const material = await givenPrivateKey(...rsa)
      const decrypting = [`RSA_${bits}`, 'ENCRYPT_DECRYPT'] as const
      const signing = [`RSA_${bits}`, 'SIGN_VERIFY'] as const
      const KeyId = await importFile(decrypting, material, algorithm, 'RSA_2048')
      const signer = await importFile(signing, material, algorithm, 'RSA_4096')
      await openssl(
        ...['pkeyutl', '-encrypt', '-in', put('message.bin', message), '-out', 'to-kms.bin'],
        ...['-inkey', 'public.pem', '-pubin', ...oaep('sha256')],
      )
      const { Plaintext } = await kms.send(
        new DecryptCommand({
          KeyId,
          CiphertextBlob: readFileSync(file('to-kms.bin')),
          EncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
        }),
      )
      expect(Buffer.from(Plaintext ?? [])).toEqual(message)
      const SigningAlgorithm = 'RSASSA_PKCS1_V1_5_SHA_256'
      const { Signature } = await kms.send(
        new SignCommand({ KeyId: signer, Message: message, SigningAlgorithm }),
      )
      // The same key makes the same signature: this padding is deterministic.
      await openssl('dgst', '-sha256', '-sign', 'private.pem', '-out', 'own.bin', 'message.bin')
      expect(Buffer.from(Signature ?? [])).toEqual(readFileSync(file('own.bin')))
    })
  })
})
