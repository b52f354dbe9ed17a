import {
  decryptUnder,
  encryptUnder,
  requireSymmetricAlgorithm,
  SYMMETRIC_ALGORITHM,
} from '../../shared/keys/symmetric.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import {
  readCiphertext,
  requireKeyOfCiphertext,
  sourceKey,
} from '../../shared/pipeline/ciphertext.ts'
import { encryptionKey } from '../../shared/pipeline/key-use.ts'
import {
  ciphertextBlob,
  dryRunModifiers,
  encryptionAlgorithm,
  grantTokens,
  keyIdentifier,
} from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { boolean, type Input, required, stringMap, structure } from '../../shared/pipeline/shape.ts'

const request = structure({
  CiphertextBlob: ciphertextBlob,
  SourceEncryptionContext: stringMap,
  SourceKeyId: keyIdentifier,
  DestinationKeyId: required(keyIdentifier),
  DestinationEncryptionContext: stringMap,
  SourceEncryptionAlgorithm: encryptionAlgorithm,
  DestinationEncryptionAlgorithm: encryptionAlgorithm,
  GrantTokens: grantTokens,
  DryRun: boolean,
  DryRunModifiers: dryRunModifiers,
})
type ReEncryptRequest = Input<typeof request>

export interface ReEncryptResponse {
  readonly CiphertextBlob: Buffer
  readonly SourceKeyId: string
  readonly KeyId: string
  readonly SourceEncryptionAlgorithm: string
  readonly DestinationEncryptionAlgorithm: string
  readonly SourceKeyMaterialId: string
  readonly DestinationKeyMaterialId: string
}

const source = (input: ReEncryptRequest) => ({
  ciphertext: input.CiphertextBlob,
  keyId: input.SourceKeyId,
  algorithm: input.SourceEncryptionAlgorithm ?? SYMMETRIC_ALGORITHM,
  dryRun: input.DryRun === true,
  modifiers: input.DryRunModifiers ?? [],
})

/** Decrypts under one key and encrypts under another, or under newer material of the same; the plaintext stays inside. */
export const reEncrypt: Operation<ReEncryptRequest, ReEncryptResponse, 'source' | 'destination'> = {
  service: 'kms',
  name: 'ReEncrypt',
  input: request,
  readOnly: true,
  dryRun: true,
  keys: (input) => ({
    source: sourceKey(source(input), 'kms:ReEncryptFrom'),
    destination: encryptionKey(input.DestinationKeyId, 'kms:ReEncryptTo'),
  }),
  conditions: (input, role) => ({
    encryptionContext:
      (role === 'source' ? input.SourceEncryptionContext : input.DestinationEncryptionContext) ??
      {},
    encryptionAlgorithm:
      (role === 'source'
        ? input.SourceEncryptionAlgorithm
        : input.DestinationEncryptionAlgorithm) ?? SYMMETRIC_ALGORITHM,
  }),
  check: (input, keys) => requireKeyOfCiphertext(source(input), keys.source),
  async run(input, keys, { services: { material } }) {
    const { SourceEncryptionContext = {}, DestinationEncryptionContext = {} } = input
    const SourceEncryptionAlgorithm = input.SourceEncryptionAlgorithm ?? SYMMETRIC_ALGORITHM
    const DestinationEncryptionAlgorithm =
      input.DestinationEncryptionAlgorithm ?? SYMMETRIC_ALGORITHM
    requireSymmetricAlgorithm(SourceEncryptionAlgorithm, keys.source)
    requireSymmetricAlgorithm(DestinationEncryptionAlgorithm, keys.destination)
    const blob = readCiphertext(source(input))
    const plaintext = await decryptUnder(keys.source, blob, SourceEncryptionContext, material)
    try {
      const sealed = await encryptUnder(
        keys.destination,
        plaintext,
        DestinationEncryptionContext,
        material,
      )
      return {
        CiphertextBlob: sealed.blob,
        SourceKeyId: keys.source.arn,
        KeyId: keys.destination.arn,
        SourceEncryptionAlgorithm,
        DestinationEncryptionAlgorithm,
        SourceKeyMaterialId: blob.materialId,
        DestinationKeyMaterialId: sealed.materialId,
      }
    } finally {
      plaintext.fill(0)
    }
  },
  audit: {
    requestParameters: (input, keys) => ({
      sourceEncryptionContext: input.SourceEncryptionContext,
      sourceKeyId: keys.source?.arn ?? input.SourceKeyId,
      sourceEncryptionAlgorithm: input.SourceEncryptionAlgorithm ?? SYMMETRIC_ALGORITHM,
      destinationEncryptionContext: input.DestinationEncryptionContext,
      destinationKeyId: input.DestinationKeyId,
      destinationEncryptionAlgorithm: input.DestinationEncryptionAlgorithm ?? SYMMETRIC_ALGORITHM,
    }),
    additionalEventData: ({ SourceKeyMaterialId, DestinationKeyMaterialId }) => ({
      sourceKeyMaterialId: SourceKeyMaterialId,
      destinationKeyMaterialId: DestinationKeyMaterialId,
    }),
  },
}

export const handler = jsonHandler(reEncrypt)
