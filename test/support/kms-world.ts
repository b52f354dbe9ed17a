/**
 * Keys of every kind and state with all that can be made of them, and for each operation requests
 * that succeed: what garbage is made from. What is not served, or refused, is left out.
 */
import { constants, createHash, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto'

/** Calls an operation. @returns the answer's members; null when it is refused */
export type Caller = (
  operation: string,
  input: object,
  region?: string,
) => Promise<Readonly<Record<string, unknown>> | null>

export type Request = Readonly<Record<string, unknown>>

export interface World {
  /** Operation → requests that the operation is glad of, or was when the world was made. */
  readonly requests: ReadonlyMap<string, readonly Request[]>
  /** Member → values that fit somewhere: every key, blob, token, alias, … */
  readonly values: ReadonlyMap<string, readonly unknown[]>
}

/** Begins every secret that goes in, so that it can be looked for where none may be. */
export const SECRET_MARKER = 'hush!!hush!!'

const OTHER_REGION = 'us-west-2'
const ECC_SPECS = ['ECC_NIST_P256', 'ECC_NIST_P521', 'ECC_SECG_P256K1', 'ECC_NIST_EDWARDS25519']
const SIGNERS: Readonly<Record<string, string>> = {
  RSA_2048: 'RSASSA_PSS_SHA_256',
  ECC_NIST_P256: 'ECDSA_SHA_256',
  ECC_NIST_P521: 'ECDSA_SHA_512',
  ECC_SECG_P256K1: 'ECDSA_SHA_256',
  ECC_NIST_EDWARDS25519: 'ED25519_SHA_512',
  ML_DSA_44: 'ML_DSA_SHAKE_256',
  ML_DSA_65: 'ML_DSA_SHAKE_256',
  ML_DSA_87: 'ML_DSA_SHAKE_256',
}
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const secret = (): string => base64(SECRET_MARKER + randomBytes(6).toString('hex'))

/** A world in the making. */
class Making {
  readonly requests = new Map<string, Request[]>()
  readonly values = new Map<string, unknown[]>()
  readonly call: Caller

  constructor(call: Caller) {
    this.call = call
  }

  keep(member: string, ...values: readonly unknown[]): void {
    const kept = this.values.get(member) ?? []
    kept.push(...values.filter((value) => value !== undefined && value !== null))
    this.values.set(member, kept)
  }

  note(operation: string, request: Request): void {
    this.requests.set(operation, [...(this.requests.get(operation) ?? []), request])
  }

  /** Calls and, when it succeeds, keeps the request and what came of it. */
  async make(operation: string, request: Request, region?: string): Promise<Request> {
    const answer = await this.call(operation, request, region)
    if (answer === null) return {}
    this.note(operation, request)
    for (const [member, value] of Object.entries(answer)) {
      if (typeof value === 'string') this.keep(member, value)
    }
    return answer
  }

  /** @returns its id; null when there is none */
  async key(input: Request, region?: string): Promise<string | null> {
    const { KeyMetadata } = await this.make('CreateKey', input, region)
    const { KeyId, Arn } = (KeyMetadata ?? {}) as { KeyId?: string; Arn?: string }
    this.keep('KeyId', KeyId, Arn)
    return KeyId ?? null
  }
}

/**
 * Makes a world.
 * @param slow - with what takes long to make: RSA keys
 */
export async function makeWorld(call: Caller, { slow = true } = {}): Promise<World> {
  const making = new Making(call)
  const symmetric = await making.key({ Tags: [{ TagKey: 'a', TagValue: 'b' }], Description: 'one' })
  if (symmetric === null) throw new Error('No key could be made.')
  await encryption(making, symmetric)
  await administration(making, symmetric)
  await grants(making, symmetric)
  await rotation(making, symmetric)
  await states(making)
  await imports(making)
  await multiRegion(making)
  for (const spec of Object.keys(SIGNERS))
    if (slow || spec !== 'RSA_2048') await signing(making, spec)
  if (slow) await rsaEncryption(making)
  for (const bits of [224, 256, 384, 512]) await macs(making, bits)
  await agreement(making)
  await encapsulation(making)
  await stores(making)
  making.keep('KeyId', 'alias/absent', 'nonsense', '00000000-0000-0000-0000-000000000000')
  making.keep('NextMarker', 'marker')
  return making
}

async function encryption(making: Making, KeyId: string): Promise<void> {
  for (const EncryptionContext of [{}, { a: 'b' }]) {
    const context = { EncryptionContext }
    const { CiphertextBlob } = await making.make('Encrypt', {
      KeyId,
      Plaintext: secret(),
      ...context,
    })
    await making.make('Decrypt', { CiphertextBlob, ...context })
    await making.make('ReEncrypt', {
      CiphertextBlob,
      SourceEncryptionContext: EncryptionContext,
      DestinationKeyId: KeyId,
    })
    await making.make('GenerateDataKey', { KeyId, KeySpec: 'AES_256', ...context })
    await making.make('GenerateDataKeyWithoutPlaintext', { KeyId, NumberOfBytes: 24, ...context })
    for (const KeyPairSpec of ['ECC_NIST_P256', 'ECC_NIST_EDWARDS25519', 'ML_KEM_512']) {
      const pair = { KeyId, KeyPairSpec, ...context }
      await making.make('GenerateDataKeyPair', pair)
      await making.make('GenerateDataKeyPairWithoutPlaintext', pair)
    }
  }
  await making.make('GenerateRandom', { NumberOfBytes: 32 })
  making.keep('CiphertextBlob', ...(making.values.get('PrivateKeyCiphertextBlob') ?? []))
}

async function administration(making: Making, KeyId: string): Promise<void> {
  for (const operation of [
    'DescribeKey',
    'GetKeyPolicy',
    'ListKeyPolicies',
    'ListResourceTags',
    'ListAliases',
    'ListGrants',
    'GetKeyRotationStatus',
    'ListKeyRotations',
    'GetKeyLastUsage',
    'EnableKey',
  ]) {
    await making.make(operation, { KeyId })
  }
  await making.make('UpdateKeyDescription', { KeyId, Description: 'two' })
  await making.make('TagResource', { KeyId, Tags: [{ TagKey: 'c', TagValue: '' }] })
  await making.make('UntagResource', { KeyId, TagKeys: ['c'] })
  const policy = String(making.values.get('Policy')?.[0] ?? '{}')
  await making.make('PutKeyPolicy', { KeyId, Policy: policy })
  const AliasName = `alias/world/${randomBytes(6).toString('hex')}`
  await making.make('CreateAlias', { AliasName, TargetKeyId: KeyId })
  await making.make('UpdateAlias', { AliasName, TargetKeyId: KeyId })
  making.note('DeleteAlias', { AliasName })
  making.keep('AliasName', AliasName, 'alias/absent', 'alias/aws/s3', 'alias/a:b')
  making.keep('KeyId', AliasName)
  for (const operation of ['ListKeys', 'ListAliases', 'ListRetirableGrants']) {
    await making.make(operation, { Limit: 1 })
  }
}

async function grants(making: Making, KeyId: string): Promise<void> {
  const GranteePrincipal = 'arn:aws:iam::111122223333:user/admin'
  for (const more of [
    {},
    { Constraints: { EncryptionContextSubset: { a: 'b' } }, Name: 'constrained' },
    { RetiringPrincipal: GranteePrincipal },
  ]) {
    const grant = {
      KeyId,
      GranteePrincipal,
      Operations: ['Encrypt', 'Decrypt', 'RetireGrant'],
      ...more,
    }
    const { GrantId, GrantToken } = await making.make('CreateGrant', grant)
    if (GrantId === undefined) continue
    making.note('RevokeGrant', { KeyId, GrantId })
    making.note('RetireGrant', { GrantToken })
    making.note('ListGrants', { KeyId, GrantId })
    making.note('Encrypt', { KeyId, Plaintext: secret(), GrantTokens: [GrantToken] })
  }
  await making.make('ListGrants', { KeyId, Limit: 1 })
  await making.make('ListRetirableGrants', { RetiringPrincipal: GranteePrincipal })
}

async function rotation(making: Making, KeyId: string): Promise<void> {
  await making.make('EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 })
  await making.make('RotateKeyOnDemand', { KeyId })
  await making.make('ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' })
  await making.make('DisableKeyRotation', { KeyId })
}

async function states(making: Making): Promise<void> {
  for (const input of [{}, { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }]) {
    const disabled = await making.key(input)
    await making.make('DisableKey', { KeyId: disabled })
    const pending = await making.key(input)
    await making.make('ScheduleKeyDeletion', { KeyId: pending, PendingWindowInDays: 7 })
    making.note('CancelKeyDeletion', { KeyId: pending })
  }
}

async function imports(making: Making): Promise<void> {
  const WrappingAlgorithm = 'RSAES_OAEP_SHA_256'
  for (const input of [
    { Origin: 'EXTERNAL' },
    { Origin: 'EXTERNAL', KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
  ]) {
    await making.key(input) // waits for ever
    const KeyId = await making.key(input)
    const wanted = { KeyId, WrappingAlgorithm, WrappingKeySpec: 'RSA_2048' }
    const { ImportToken, PublicKey } = await making.make('GetParametersForImport', wanted)
    if (typeof PublicKey !== 'string') continue
    const EncryptedKeyMaterial = publicEncrypt(
      {
        key: createPublicKey({
          key: Buffer.from(PublicKey, 'base64'),
          format: 'der',
          type: 'spki',
        }),
        padding: constants.RSA_PKCS1_OAEP_PADDING,
        oaepHash: 'sha256',
      },
      randomBytes(32),
    ).toString('base64')
    const ExpirationModel = 'KEY_MATERIAL_DOES_NOT_EXPIRE'
    await making.make('ImportKeyMaterial', {
      KeyId,
      ImportToken,
      EncryptedKeyMaterial,
      ExpirationModel,
    })
    making.keep('EncryptedKeyMaterial', EncryptedKeyMaterial)
    making.keep('KeyMaterialId', createHash('sha256').update('none').digest('hex'))
    making.note('DeleteImportedKeyMaterial', { KeyId })
    await making.make('Encrypt', { KeyId, Plaintext: secret() })
  }
}

async function multiRegion(making: Making): Promise<void> {
  for (const input of [{}, { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }]) {
    const KeyId = await making.key({ ...input, MultiRegion: true })
    await making.make('ReplicateKey', { KeyId, ReplicaRegion: OTHER_REGION })
    making.note('UpdatePrimaryRegion', { KeyId, PrimaryRegion: OTHER_REGION })
    const { CiphertextBlob } = await making.make('Encrypt', { KeyId, Plaintext: secret() })
    await making.make('Decrypt', { CiphertextBlob }, OTHER_REGION)
    const alone = await making.key({ ...input, MultiRegion: true })
    making.note('ReplicateKey', { KeyId: alone, ReplicaRegion: OTHER_REGION })
  }
}

async function signing(making: Making, KeySpec: string): Promise<void> {
  const SigningAlgorithm = SIGNERS[KeySpec] ?? ''
  const KeyId = await making.key({ KeySpec, KeyUsage: 'SIGN_VERIFY' })
  const request = { KeyId, Message: secret(), SigningAlgorithm }
  const { Signature } = await making.make('Sign', request)
  await making.make('Verify', { ...request, Signature })
  await making.make('GetPublicKey', { KeyId })
  const Message = randomBytes(32).toString('base64')
  await making.make('Sign', { ...request, Message, MessageType: 'DIGEST' })
}

async function rsaEncryption(making: Making): Promise<void> {
  const KeyId = await making.key({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
  for (const EncryptionAlgorithm of ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256']) {
    const request = { KeyId, EncryptionAlgorithm }
    const { CiphertextBlob } = await making.make('Encrypt', { ...request, Plaintext: secret() })
    await making.make('Decrypt', { ...request, CiphertextBlob })
    await making.make('ReEncrypt', {
      CiphertextBlob,
      SourceKeyId: KeyId,
      SourceEncryptionAlgorithm: EncryptionAlgorithm,
      DestinationKeyId: KeyId,
      DestinationEncryptionAlgorithm: EncryptionAlgorithm,
    })
  }
}

async function macs(making: Making, bits: number): Promise<void> {
  const KeyId = await making.key({ KeySpec: `HMAC_${bits}`, KeyUsage: 'GENERATE_VERIFY_MAC' })
  const request = { KeyId, Message: secret(), MacAlgorithm: `HMAC_SHA_${bits}` }
  const { Mac } = await making.make('GenerateMac', request)
  await making.make('VerifyMac', { ...request, Mac })
}

async function agreement(making: Making): Promise<void> {
  for (const KeySpec of ECC_SPECS.slice(0, 2)) {
    const KeyId = await making.key({ KeySpec, KeyUsage: 'KEY_AGREEMENT' })
    const { PublicKey } = await making.make('GetPublicKey', { KeyId })
    await making.make('DeriveSharedSecret', { KeyId, PublicKey, KeyAgreementAlgorithm: 'ECDH' })
  }
}

async function encapsulation(making: Making): Promise<void> {
  const EncapsulationAlgorithm = 'ML_KEM'
  for (const KeySpec of ['ML_KEM_512', 'ML_KEM_768', 'ML_KEM_1024']) {
    const KeyId = await making.key({ KeySpec, KeyUsage: 'ENCAPSULATE_DECAPSULATE' })
    const request = { KeyId, EncapsulationAlgorithm }
    const { SharedSecretCiphertextBlob } = await making.make('Encapsulate', request)
    await making.make('Decapsulate', { ...request, SharedSecretCiphertextBlob })
  }
}

async function stores(making: Making): Promise<void> {
  const credential = {
    AccessKeyId: 'A'.repeat(20),
    RawSecretAccessKey: SECRET_MARKER.replaceAll('!', '+').padEnd(43, 'a'),
  }
  const external = {
    CustomKeyStoreName: `store-${randomBytes(6).toString('hex')}`,
    CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
    XksProxyConnectivity: 'PUBLIC_ENDPOINT',
    XksProxyUriEndpoint: 'https://xks.example.invalid',
    XksProxyUriPath: '/kms/xks/v1',
    XksProxyAuthenticationCredential: credential,
  }
  const { CustomKeyStoreId = 'cks-1234567890abcdef0' } = await making.make(
    'CreateCustomKeyStore',
    external,
  )
  making.note('CreateCustomKeyStore', external)
  making.note('CreateCustomKeyStore', {
    CustomKeyStoreName: 'hsm',
    CloudHsmClusterId: 'cluster-7a23b4cdefg',
    TrustAnchorCertificate: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    KeyStorePassword: `${SECRET_MARKER}password`,
  })
  making.keep('CustomKeyStoreId', CustomKeyStoreId, 'cks-00000000000000000')
  for (const operation of [
    'DescribeCustomKeyStores',
    'ConnectCustomKeyStore',
    'DisconnectCustomKeyStore',
  ]) {
    making.note(operation, { CustomKeyStoreId })
  }
  making.note('UpdateCustomKeyStore', {
    CustomKeyStoreId,
    XksProxyAuthenticationCredential: credential,
  })
  making.note('DeleteCustomKeyStore', { CustomKeyStoreId })
}
