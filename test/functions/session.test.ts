import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
} from '@aws-sdk/client-kms'
import { CreateBucketCommand, GetObjectCommand } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { Upload } from '@aws-sdk/lib-storage'
import { expect, test } from 'vitest'
import { givenStack } from '../support/stack-client.ts'

const MIB = 1024 * 1024

test('the session of the README works with the AWS SDK', async () => {
  const stack = givenStack()
  const [sts, kms, s3, cloudTrail] = [stack.sts(), stack.kms(), stack.s3(), stack.cloudtrail()]
  const alias = `alias/payments-${randomBytes(4).toString('hex')}`
  const Bucket = `ledger-${randomBytes(4).toString('hex')}`

  expect((await sts.send(new GetCallerIdentityCommand({}))).Account).toBe(stack.account)

  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Description: 'payments' }))
  await kms.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: KeyMetadata?.KeyId }))

  const Plaintext = randomBytes(200)
  const EncryptionContext = { team: 'payments' }
  const { CiphertextBlob } = await kms.send(
    new EncryptCommand({ KeyId: alias, Plaintext, EncryptionContext }),
  )
  const opened = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
  expect(Buffer.from(opened.Plaintext ?? [])).toEqual(Plaintext)
  expect(opened.KeyId).toBe(KeyMetadata?.Arn)

  const dataKey = await kms.send(new GenerateDataKeyCommand({ KeyId: alias, KeySpec: 'AES_256' }))
  expect(dataKey.Plaintext).toHaveLength(32)

  const file = randomBytes(12 * MIB + 17)
  await s3.send(new CreateBucketCommand({ Bucket }))
  const Key = 'large.iso'
  const upload = new Upload({
    client: s3,
    params: {
      Bucket,
      Key,
      Body: Readable.from([file]),
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: alias,
    },
  })
  await upload.done()
  const back = await s3.send(new GetObjectCommand({ Bucket, Key }))
  expect(back.SSEKMSKeyId).toBe(KeyMetadata?.Arn)
  const digest = createHash('sha256')
  for await (const chunk of back.Body as Readable) digest.update(chunk)
  expect(digest.digest('hex')).toBe(createHash('sha256').update(file).digest('hex'))

  const { Events = [] } = await cloudTrail.send(
    new LookupEventsCommand({
      LookupAttributes: [{ AttributeKey: 'ResourceName', AttributeValue: KeyMetadata?.Arn }],
    }),
  )
  const names = Events.map(({ EventName }) => EventName)
  expect(names).toEqual(expect.arrayContaining(['Encrypt', 'Decrypt', 'GenerateDataKey']))
})
