import { decryptUnder, encryptUnder, requireEncryptionTerms } from '../../shared/keys/encryption.ts'
import { SYMMETRIC_ALGORITHM } from '../../shared/keys/symmetric.ts'
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
import { isSameKey } from '../../shared/pipeline/same-key.ts'
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
  /** Of a symmetric key, as the next one. */
  readonly SourceKeyMaterialId?: string
  readonly DestinationKeyMaterialId?: string
}

const sourceTerms = (input: ReEncryptRequest) => ({
  algorithm: input.SourceEncryptionAlgorithm ?? SYMMETRIC_ALGORITHM,
  context: input.SourceEncryptionContext ?? {},
})

const destinationTerms = (input: ReEncryptRequest) => ({
  algorithm: input.DestinationEncryptionAlgorithm ?? SYMMETRIC_ALGORITHM,
  context: input.DestinationEncryptionContext ?? {},
})

const source = (input: ReEncryptRequest) => ({
  ciphertext: input.CiphertextBlob,
  keyId: input.SourceKeyId,
  algorithm: sourceTerms(input).algorithm,
  dryRun: input.DryRun === true,
  modifiers: input.DryRunModifiers ?? [],
})

/**
 * Decrypts under one key and encrypts under another, or under newer material of the same; either may
 * be symmetric or RSA. The plaintext stays inside.
 */
export const reEncrypt: Operation<ReEncryptRequest, ReEncryptResponse, 'source' | 'destination'> = {
  service: 'kms',
  name: 'ReEncrypt',
  input: request,
  readOnly: true,
  dryRun: true,
  async keys(input, call) {
    const from = sourceKey(source(input), 'kms:ReEncryptFrom')
    const to = encryptionKey(input.DestinationKeyId, 'kms:ReEncryptTo')
    const onSameKey = await isSameKey(from.name, to.name, call)
    const conditions = { 'kms:reencryptonsamekey': String(onSameKey) }
    return { source: { ...from, conditions }, destination: { ...to, conditions } }
  },
  conditions: (input, role) => {
    const { algorithm, context } = role === 'source' ? sourceTerms(input) : destinationTerms(input)
    return { encryptionContext: context, encryptionAlgorithm: algorithm }
  },
  check: (input, keys) => requireKeyOfCiphertext(source(input), keys.source),
  async run(input, keys, { services: { material } }) {
    const [from, to] = [sourceTerms(input), destinationTerms(input)]
    requireEncryptionTerms(keys.source, from)
    requireEncryptionTerms(keys.destination, to)
    const ciphertext = readCiphertext(source(input))
    const opened = await decryptUnder(keys.source, ciphertext, from.context, material)
    try {
      const sealed = await encryptUnder(keys.destination, opened.plaintext, to, material)
      return {
        CiphertextBlob: sealed.ciphertext,
        SourceKeyId: keys.source.arn,
        KeyId: keys.destination.arn,
        SourceEncryptionAlgorithm: from.algorithm,
        DestinationEncryptionAlgorithm: to.algorithm,
        ...(opened.materialId === null ? {} : { SourceKeyMaterialId: opened.materialId }),
        ...(sealed.materialId === null ? {} : { DestinationKeyMaterialId: sealed.materialId }),
      }
    } finally {
      opened.plaintext.fill(0)
    }
  },
  audit: {
    requestParameters: (input, keys) => ({
      sourceEncryptionContext: input.SourceEncryptionContext,
      sourceKeyId: keys.source?.arn ?? input.SourceKeyId,
      sourceEncryptionAlgorithm: sourceTerms(input).algorithm,
      destinationEncryptionContext: input.DestinationEncryptionContext,
      destinationKeyId: input.DestinationKeyId,
      destinationEncryptionAlgorithm: destinationTerms(input).algorithm,
    }),
    additionalEventData: ({ SourceKeyMaterialId, DestinationKeyMaterialId }) =>
      SourceKeyMaterialId === undefined && DestinationKeyMaterialId === undefined
        ? null
        : {
            sourceKeyMaterialId: SourceKeyMaterialId,
            destinationKeyMaterialId: DestinationKeyMaterialId,
          },
  },
}

export const handler = jsonHandler(reEncrypt)
