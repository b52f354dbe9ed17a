import { freshBytes } from '../../shared/crypto/random.ts'
import { JsonError } from '../../shared/errors.ts'
import { storeRandom } from '../../shared/keys/key-store-use.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { keyStoreScope } from '../../shared/pipeline/key-store-scope.ts'
import { customKeyStoreId, numberOfBytes, recipient } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { withRecipient } from '../../shared/pipeline/recipient.ts'
import { type Input, structure } from '../../shared/pipeline/shape.ts'

const request = structure({
  NumberOfBytes: numberOfBytes,
  CustomKeyStoreId: customKeyStoreId,
  Recipient: recipient,
})

export interface GenerateRandomResponse {
  readonly Plaintext: Buffer
}

/** 1 to 1024 bytes of the system's cryptographic random generator, or of a CloudHSM cluster's. */
export const generateRandom: Operation<Input<typeof request>, GenerateRandomResponse> = {
  service: 'kms',
  name: 'GenerateRandom',
  input: request,
  readOnly: true,
  permissions: () => [{ action: 'kms:GenerateRandom', resource: null }],
  check({ NumberOfBytes }) {
    if (NumberOfBytes === undefined) {
      throw new JsonError('ValidationException', 'NumberOfBytes is required.')
    }
  },
  async run({ NumberOfBytes = 0, CustomKeyStoreId }, _keys, call) {
    return {
      Plaintext:
        CustomKeyStoreId === undefined
          ? freshBytes(NumberOfBytes)
          : await storeRandom(keyStoreScope(call), CustomKeyStoreId, NumberOfBytes),
    }
  },
  audit: {
    requestParameters: ({ NumberOfBytes, CustomKeyStoreId }) => ({
      numberOfBytes: NumberOfBytes,
      customKeyStoreId: CustomKeyStoreId,
    }),
  },
}

export const handler = jsonHandler(withRecipient(generateRandom, 'Plaintext'))
