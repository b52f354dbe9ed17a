import { GetKeyRotationStatusCommand } from '@aws-sdk/client-kms'
import { expect, test } from 'vitest'
import {
  givenDisabledKey,
  givenKey,
  givenKeyPendingDeletion,
  kmsClient,
} from '../../support/kms.ts'
import { givenStack } from '../../support/stack-client.ts'

const kms = kmsClient(givenStack())

test.for([givenKey, givenDisabledKey, givenKeyPendingDeletion])(
  'GetKeyRotationStatus says false of a new key, in any state: %#',
  async (given) => {
    const { keyId, arn } = await given(kms)
    const command = new GetKeyRotationStatusCommand({ KeyId: keyId })
    const { $metadata, ...answer } = await kms.send(command)
    expect(answer).toEqual({ KeyId: arn, KeyRotationEnabled: false })
  },
)
