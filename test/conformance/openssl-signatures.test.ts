/** What the `openssl` command makes of our signatures and MACs, and we of its own. */
import { execFile } from 'node:child_process'
import { createHash, createPublicKey, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { GetPublicKeyCommand, SignCommand, VerifyCommand } from '@aws-sdk/client-kms'
import { afterAll, describe, expect, test } from 'vitest'
import { keySpec } from '../../shared/keys/key-specs.ts'
import { macOf } from '../../shared/keys/macs.ts'
import { requireSigning } from '../../shared/keys/signatures.ts'
import { givenKey, kmsClient } from '../support/kms.ts'
import { givenStack } from '../support/stack-client.ts'

const run = promisify(execFile)
const kms = kmsClient(givenStack())
const folder = mkdtempSync(join(tmpdir(), 'keyhold-openssl-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const installed = await run('openssl', ['version']).then(
  ({ stdout }) => /^OpenSSL [3-9]/.test(stdout),
  () => false,
)
if (!installed) console.warn("skipped: the 'openssl' command, version 3 or later, is not installed")

const openssl = async (...args: readonly string[]): Promise<Buffer> =>
  (await run('openssl', args, { encoding: 'buffer' })).stdout

let files = 0
function file(content?: Uint8Array): string {
  const path = join(folder, String(++files))
  if (content !== undefined) writeFileSync(path, content)
  return path
}

const message = randomBytes(1000)
const opt = (...options: readonly string[]) => options.flatMap((each) => ['-pkeyopt', each])
const rsaOptions = (bits: number, padding: 'pkcs1' | 'pss') => [
  ...opt(`rsa_padding_mode:${padding}`, `digest:sha${bits}`),
  ...(padding === 'pss' ? opt(`rsa_pss_saltlen:${bits / 8}`, `rsa_mgf1_md:sha${bits}`) : []),
]
const generate = {
  RSA_2048: ['RSA', ...opt('rsa_keygen_bits:2048')],
  RSA_3072: ['RSA', ...opt('rsa_keygen_bits:3072')],
  RSA_4096: ['RSA', ...opt('rsa_keygen_bits:4096')],
  ECC_NIST_P256: ['EC', ...opt('ec_paramgen_curve:P-256')],
  ECC_NIST_P384: ['EC', ...opt('ec_paramgen_curve:P-384')],
  ECC_NIST_P521: ['EC', ...opt('ec_paramgen_curve:P-521')],
  ECC_SECG_P256K1: ['EC', ...opt('ec_paramgen_curve:secp256k1')],
  ECC_NIST_EDWARDS25519: ['ED25519'],
} as const

const digested = (SigningAlgorithm: string) => {
  const hash = `sha${SigningAlgorithm.slice(-3)}`
  const digest = createHash(hash).update(message).digest()
  const padding = SigningAlgorithm.includes('PSS') ? 'pss' : 'pkcs1'
  return {
    input: digest,
    options: SigningAlgorithm.startsWith('RSA') ? rsaOptions(digest.length * 8, padding) : [],
  }
}

/** Each algorithm with what `openssl pkeyutl` is given to sign: a digest, or the message itself. */
const cases = (
  [
    ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256'],
    ['RSA_2048', 'RSASSA_PSS_SHA_256'],
    ['RSA_2048', 'RSASSA_PSS_SHA_512'],
    ['RSA_3072', 'RSASSA_PKCS1_V1_5_SHA_384'],
    ['RSA_3072', 'RSASSA_PSS_SHA_384'],
    ['RSA_4096', 'RSASSA_PKCS1_V1_5_SHA_512'],
    ['RSA_4096', 'RSASSA_PSS_SHA_512'],
    ['ECC_NIST_P256', 'ECDSA_SHA_256'],
    ['ECC_NIST_P384', 'ECDSA_SHA_384'],
    ['ECC_NIST_P521', 'ECDSA_SHA_512'],
    ['ECC_SECG_P256K1', 'ECDSA_SHA_256'],
    ['ECC_NIST_EDWARDS25519', 'ED25519_SHA_512'],
  ] as const
).map(([spec, algorithm]) => {
  const pure = algorithm === 'ED25519_SHA_512'
  const given = pure ? { input: message, options: ['-rawin'] } : digested(algorithm)
  const kinds = pure
    ? ([['RAW', message]] as const)
    : ([
        ['RAW', message],
        ['DIGEST', given.input],
      ] as const)
  return { spec, algorithm, kinds, ...given }
})

const verifiedByOpenssl = async (
  publicKey: Uint8Array,
  { input, options }: { readonly input: Uint8Array; readonly options: readonly string[] },
  signature: Uint8Array,
): Promise<string> => {
  const key = ['-pubin', '-keyform', 'DER', '-inkey', file(publicKey)]
  const what = ['-in', file(input), '-sigfile', file(signature)]
  return (await openssl('pkeyutl', '-verify', ...key, ...what, ...options)).toString().trim()
}

describe.skipIf(!installed).each(cases)('With $spec and $algorithm', (each) => {
  const { spec, algorithm, kinds, input, options } = each

  test('openssl verifies what the service signed, of a message and of its digest', async () => {
    const { keyId: KeyId } = await givenKey(kms, { KeySpec: spec, KeyUsage: 'SIGN_VERIFY' })
    const { PublicKey = new Uint8Array() } = await kms.send(new GetPublicKeyCommand({ KeyId }))
    for (const [MessageType, Message] of kinds) {
      const command = { KeyId, MessageType, Message, SigningAlgorithm: algorithm }
      const { Signature = new Uint8Array() } = await kms.send(new SignCommand(command))
      expect(await verifiedByOpenssl(PublicKey, each, Signature)).toMatch(/Verified Successfully/)
      const { SignatureValid } = await kms.send(new VerifyCommand({ ...command, Signature }))
      expect(SignatureValid).toBe(true)
    }
  })

  test('a key that openssl made is taken, and signs and verifies as openssl does', async () => {
    const [path, made] = [file(), file()]
    await openssl('genpkey', '-algorithm', ...generate[spec], '-out', made)
    const pkcs8 = ['-topk8', '-nocrypt', '-in', made, '-outform', 'DER', '-out', path]
    await openssl('pkcs8', ...pkcs8) // in DER the other command leaves PKCS #8 out
    const accepted = keySpec(spec).accept(readFileSync(path))
    const privateKey = keySpec(spec).open(accepted ?? Buffer.alloc(0))
    const publicKey = createPublicKey(privateKey)
    const signing = ['-sign', '-keyform', 'DER', '-inkey', path, '-in', file(input)]
    const theirs = await openssl('pkeyutl', ...signing, ...options)
    const spki = publicKey.export({ type: 'spki', format: 'der' })
    for (const [messageType, what] of kinds) {
      const scheme = requireSigning(spec, { algorithm, messageType, message: what })
      expect(await scheme.verify(publicKey, what, theirs)).toBe(true)
      const ours = await scheme.sign(privateKey, what)
      expect(await verifiedByOpenssl(spki, each, ours)).toMatch(/Verified Successfully/)
    }
  })
})

test.skipIf(!installed).each([
  [224, 28],
  [256, 32],
  [384, 48],
  [512, 128],
] as const)('HMAC with SHA-%i is that of openssl', async (bits, length) => {
  const bytes = randomBytes(length)
  const key = keySpec(`HMAC_${bits}`).open(keySpec(`HMAC_${bits}`).accept(bytes) as Buffer)
  const hexKey = `hexkey:${bytes.toString('hex')}`
  const options = ['-digest', `SHA${bits}`, '-macopt', hexKey, '-in', file(message)]
  const theirs = (await openssl('mac', ...options, 'HMAC')).toString().trim().toLowerCase()
  expect(macOf(`HMAC_SHA_${bits}`, key, message).toString('hex')).toBe(theirs)
})
