import { CreateKeyCommand, DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { expect, test } from 'vitest'
import { givenStack } from '../../support/stack-client.ts'

test('A stack answers the clients of AWS with what they asked for', async () => {
  const stack = givenStack()
  const { Arn } = await stack.sts().send(new GetCallerIdentityCommand({}))
  expect(Arn).toBe(`arn:aws:iam::${stack.account}:user/admin`)
  const kms = stack.kms()
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const { CiphertextBlob } = await kms.send(
    new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('hello') }),
  )
  const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }))
  expect(Buffer.from(Plaintext ?? [])).toEqual(Buffer.from('hello'))
})
