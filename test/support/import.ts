/** Keys whose material comes from the test, and the way that it takes (RFC 8017, RFC 5649). */
import {
  constants,
  createCipheriv,
  createHash,
  createPublicKey,
  publicEncrypt,
  randomBytes,
} from 'node:crypto'
import {
  type AlgorithmSpec,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DeleteImportedKeyMaterialCommand,
  DescribeKeyCommand,
  GetParametersForImportCommand,
  ImportKeyMaterialCommand,
  type ImportKeyMaterialCommandInput,
  type KMSClient,
  type WrappingKeySpec,
} from '@aws-sdk/client-kms'

/** A new key without material. */
export async function givenExternalKey(
  kms: KMSClient,
  input: CreateKeyCommandInput = {},
): Promise<{ readonly keyId: string; readonly arn: string }> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ ...input, Origin: 'EXTERNAL' }))
  return { keyId: KeyMetadata?.KeyId ?? '', arn: KeyMetadata?.Arn ?? '' }
}

export interface WrappingParameters {
  readonly ImportToken: Uint8Array
  readonly PublicKey: Uint8Array
  readonly algorithm: AlgorithmSpec
}

export async function givenParameters(
  kms: KMSClient,
  KeyId: string,
  algorithm: AlgorithmSpec = 'RSAES_OAEP_SHA_256',
  WrappingKeySpec: WrappingKeySpec = 'RSA_2048',
): Promise<WrappingParameters> {
  const answer = await kms.send(
    new GetParametersForImportCommand({ KeyId, WrappingAlgorithm: algorithm, WrappingKeySpec }),
  )
  const { ImportToken = Buffer.alloc(0), PublicKey = Buffer.alloc(0) } = answer
  return { ImportToken, PublicKey, algorithm }
}

/** The material as ImportKeyMaterial wants it. */
export function wrapForImport(
  { PublicKey, algorithm }: Omit<WrappingParameters, 'ImportToken'>,
  material: Uint8Array,
): Buffer {
  const oaepHash = algorithm.endsWith('SHA_1') ? 'sha1' : 'sha256'
  const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' })
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  const oaep = (bytes: Uint8Array) => publicEncrypt({ key, padding, oaepHash }, bytes)
  if (algorithm.startsWith('RSAES_OAEP')) return oaep(material)
  const aesKey = randomBytes(32)
  return Buffer.concat([oaep(aesKey), wrapPadded(aesKey, material)])
}

/** AES key wrap with padding. */
export function wrapPadded(aesKey: Uint8Array, material: Uint8Array): Buffer {
  const cipher = createCipheriv('id-aes256-wrap-pad', aesKey, Buffer.from('a65959a6', 'hex'))
  return Buffer.concat([cipher.update(material), cipher.final()])
}

export type ImportOptions = Partial<ImportKeyMaterialCommandInput> & {
  readonly parameters?: WrappingParameters
}

/** Imports material that does not expire, unless the options say something else. */
export async function importInto(
  kms: KMSClient,
  KeyId: string,
  material: Uint8Array,
  { parameters, ...options }: ImportOptions = {},
) {
  const used = parameters ?? (await givenParameters(kms, KeyId))
  return await kms.send(
    new ImportKeyMaterialCommand({
      KeyId,
      ImportToken: used.ImportToken,
      EncryptedKeyMaterial: wrapForImport(used, material),
      ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      ...options,
    }),
  )
}

/** 32 bytes, always the same for a name. */
export const materialNamed = (name: string): Buffer => createHash('sha256').update(name).digest()

/**
 * A key that waits for its first material. One wrapping key serves all imports of a KMS key, since
 * making one takes long.
 */
export async function givenImporting(kms: KMSClient, input: CreateKeyCommandInput = {}) {
  const key = await givenExternalKey(kms, input)
  const parameters = await givenParameters(kms, key.keyId)
  return {
    ...key,
    parameters,
    import: (material: Uint8Array, options: ImportOptions = {}) =>
      importInto(kms, key.keyId, material, { parameters, ...options }),
    metadata: async () =>
      (await kms.send(new DescribeKeyCommand({ KeyId: key.keyId }))).KeyMetadata,
    remove: (KeyMaterialId?: string) =>
      kms.send(new DeleteImportedKeyMaterialCommand({ KeyId: key.keyId, KeyMaterialId })),
  }
}

/** A key with imported material. */
export async function givenImported(
  kms: KMSClient,
  material: Uint8Array,
  options: ImportOptions = {},
) {
  const key = await givenImporting(kms)
  const { KeyMaterialId = '' } = await key.import(material, options)
  return { ...key, materialId: KeyMaterialId }
}
