import { createPublicKey } from 'node:crypto'
import { openPrivateKey } from '../../shared/crypto/private-keys.ts'
import { rsaKeys } from '../../shared/crypto/rsa-keys.ts'
import { sealImportToken } from '../../shared/keys/import-token.ts'
import { importable } from '../../shared/keys/key-states.ts'
import { requireExternalOrigin } from '../../shared/keys/material-origin.ts'
import { requireImportWrapping } from '../../shared/keys/wrapping-algorithms.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import {
  keyIdentifier,
  wrappingAlgorithm,
  wrappingKeySpec,
} from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({
  KeyId: required(keyIdentifier),
  WrappingAlgorithm: required(wrappingAlgorithm),
  WrappingKeySpec: required(wrappingKeySpec),
})

export interface GetParametersForImportResponse {
  readonly KeyId: string
  readonly ImportToken: Buffer
  readonly PublicKey: Buffer
  readonly ParametersValidTo: Date
}

const VALIDITY_MS = 24 * 60 * 60 * 1000 // KMS: import token, 24 h

/** A fresh public key to wrap material with, and a token that holds its private half, sealed. */
export const getParametersForImport: Operation<
  Input<typeof request>,
  GetParametersForImportResponse,
  'key'
> = {
  service: 'kms',
  name: 'GetParametersForImport',
  input: request,
  readOnly: true,
  keys: ({ KeyId }) => ({
    key: { ...readKey(KeyId, 'kms:GetParametersForImport'), states: importable },
  }),
  conditions: ({ WrappingAlgorithm, WrappingKeySpec }) => ({
    others: {
      'kms:wrappingalgorithm': WrappingAlgorithm,
      'kms:wrappingkeyspec': WrappingKeySpec,
    },
  }),
  check: (_input, { key }) => requireExternalOrigin(key),
  async run({ WrappingAlgorithm, WrappingKeySpec }, { key: { key, arn } }, { services }) {
    const choice = requireImportWrapping(key.keySpec, WrappingAlgorithm, WrappingKeySpec)
    const tenantKey = await services.tenantKeys.current(key.account)
    const privateKey = await rsaKeys(choice.modulusBits).generate()
    const publicKey = createPublicKey(openPrivateKey(privateKey))
    const expiresAt = services.clock.now() + VALIDITY_MS
    return {
      KeyId: arn,
      ImportToken: sealImportToken(tenantKey, key, { ...choice, expiresAt }, privateKey),
      PublicKey: publicKey.export({ type: 'spki', format: 'der' }),
      ParametersValidTo: new Date(expiresAt),
    }
  },
  audit: {
    requestParameters: ({ KeyId, WrappingAlgorithm, WrappingKeySpec }) => ({
      keyId: KeyId,
      wrappingAlgorithm: WrappingAlgorithm,
      wrappingKeySpec: WrappingKeySpec,
    }),
  },
}

export const handler = jsonHandler(getParametersForImport)
