/** Members that many KMS requests share, with the constraints of the service model (2014-11-01). */
import { blob, integer, list, oneOf, required, string, structure } from './shape.ts'

/** Key id, key ARN, alias name or alias ARN; which of them an operation takes is its own matter. */
export const keyIdentifier = string({
  min: 1,
  max: 2048,
  pattern: /^\p{ASCII}+$/u,
  patternText: '^\\p{ASCII}+$',
})
export const aliasNameMember = string({ min: 1, max: 256, pattern: /^[a-zA-Z0-9:/_-]+$/ })
/** Whoever holds a grant token may use it for a while, so none is repeated to anybody. */
export const grantToken = string({ min: 1, max: 8192, sensitive: true })
export const grantTokens = list(grantToken, { max: 10 })
export const limit = integer({ min: 1, max: 1000 })
export const marker = string({
  min: 1,
  max: 1024,
  pattern: /^[\u0020-\u00FF]*$/,
  patternText: '[\\u0020-\\u00FF]*',
})
export const policyText = string({
  min: 1,
  max: 131_072,
  pattern: /^[\t\n\r\u0020-\u00FF]+$/,
  patternText: '[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+',
})
export const policyName = string({ min: 1, max: 128, pattern: /^\w+$/, patternText: '[\\w]+' })
export const tagKey = string({ min: 1, max: 128 })
export const tags = list(
  structure({ TagKey: required(tagKey), TagValue: required(string({ max: 256 })) }),
)
export const plaintext = blob({ min: 1, max: 4096, sensitive: true })
export const ciphertextBlob = blob({ min: 1, max: 6144 })
export const customKeyStoreId = string({ min: 1, max: 64 })
export const numberOfBytes = integer({ min: 1, max: 1024 })

export const encryptionAlgorithm = oneOf([
  'RSAES_OAEP_SHA_1',
  'RSAES_OAEP_SHA_256',
  'SM2PKE',
  'SYMMETRIC_DEFAULT',
])
export const dryRunModifiers = list(oneOf(['IGNORE_CIPHERTEXT']))
export const recipient = structure({
  KeyEncryptionAlgorithm: oneOf(['RSAES_OAEP_SHA_256']),
  AttestationDocument: blob({ min: 1, max: 262_144 }),
})

/** In the order in which the service lists them. */
const keySpecs = [
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'ECC_NIST_EDWARDS25519',
  'SYMMETRIC_DEFAULT',
  'HMAC_224',
  'HMAC_256',
  'HMAC_384',
  'HMAC_512',
  'SM2',
  'ML_DSA_44',
  'ML_DSA_65',
  'ML_DSA_87',
] as const
export const keySpec = oneOf([...keySpecs, 'ML_KEM_512', 'ML_KEM_768', 'ML_KEM_1024'])
/** The deprecated member knows no spec that came after it. */
export const customerMasterKeySpec = oneOf(keySpecs.filter((spec) => !/^ML_DSA|EDWARDS/.test(spec)))
/** The service's sentence lists the specs of KMS keys, not those of data keys. */
export const dataKeySpec = oneOf(['AES_256', 'AES_128'], keySpecs)
export const keyUsage = oneOf([
  'ENCRYPT_DECRYPT',
  'SIGN_VERIFY',
  'GENERATE_VERIFY_MAC',
  'KEY_AGREEMENT',
  'ENCAPSULATE_DECAPSULATE',
])
export const keyOrigin = oneOf(['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'])
const signingAlgorithms = [
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'ECDSA_SHA_256',
  'ECDSA_SHA_384',
  'ECDSA_SHA_512',
  'ED25519_SHA_512',
  'ED25519_PH_SHA_512',
  'SM2DSA',
  'ML_DSA_SHAKE_256',
] as const
/** In the order in which the service lists them; `SYMMETRIC_DEFAULT` passes and is refused with the key. */
export const signingAlgorithm = oneOf(
  [...signingAlgorithms, 'SYMMETRIC_DEFAULT'],
  signingAlgorithms,
)
export const macAlgorithm = oneOf(['HMAC_SHA_384', 'HMAC_SHA_256', 'HMAC_SHA_224', 'HMAC_SHA_512'])
export const messageType = oneOf(['RAW', 'DIGEST', 'EXTERNAL_MU'])
export const keyAgreementAlgorithm = oneOf(['ECDH'])
export const encapsulationAlgorithm = oneOf(['ML_KEM'])
export const message = blob({ min: 1, max: 4096, sensitive: true })
export const signature = blob({ min: 1, max: 6144 })
export const mac = blob({ min: 1, max: 6144 })
export const peerPublicKey = blob({ min: 1, max: 8192 })
export const sharedSecretCiphertextBlob = blob({ min: 1, max: 6144 })
export const dataKeyPairSpec = oneOf([
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'SM2',
  'ECC_NIST_EDWARDS25519',
  'ML_KEM_512',
  'ML_KEM_768',
  'ML_KEM_1024',
])

export const grantId = string({ min: 1, max: 128 })
export const grantName = string({ min: 1, max: 256, pattern: /^[a-zA-Z0-9:/_-]+$/ })
export const principalId = string({
  min: 1,
  max: 256,
  pattern: /^[\w+=,.@:/-]+$/,
  patternText: '^[\\w+=,.@:/-]+$',
})
export const servicePrincipal = string({
  min: 1,
  max: 128,
  pattern: /^([A-Za-z0-9-]+)\.([A-Za-z0-9-]+)(\.[A-Za-z0-9-]+)+$/,
  patternText: '^([A-Za-z0-9\\-]+)\\.([A-Za-z0-9\\-]+)(\\.[A-Za-z0-9\\-]+)+$',
})
export const grantOperation = oneOf([
  'Decrypt',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'ReEncryptFrom',
  'ReEncryptTo',
  'Sign',
  'Verify',
  'GetPublicKey',
  'CreateGrant',
  'RetireGrant',
  'DescribeKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateMac',
  'VerifyMac',
  'DeriveSharedSecret',
  'Encapsulate',
  'Decapsulate',
])

export const rotationPeriodInDays = integer({ min: 90, max: 2560 })
export const keyMaterialId = string({
  min: 64,
  max: 64,
  pattern: /^[a-f0-9]+$/,
})
export const keyMaterialDescription = string({
  max: 256,
  pattern: /^[a-zA-Z0-9:/_ \t\n\v\f\r.-]+$/, // the service's \s is ASCII's white space alone
  patternText: '^[a-zA-Z0-9:/_\\s.-]+$',
})
export const regionName = string({ min: 1, max: 32, pattern: /^([a-z]+-){2,3}\d+$/ })
export const wrappingAlgorithm = oneOf([
  'RSAES_PKCS1_V1_5',
  'RSAES_OAEP_SHA_1',
  'RSAES_OAEP_SHA_256',
  'RSA_AES_KEY_WRAP_SHA_1',
  'RSA_AES_KEY_WRAP_SHA_256',
  'SM2PKE',
])
export const wrappingKeySpec = oneOf(['RSA_2048', 'RSA_3072', 'RSA_4096', 'SM2'])
export const importToken = blob({ min: 1, max: 6144 })
export const encryptedKeyMaterial = blob({ min: 1, max: 6144 })
