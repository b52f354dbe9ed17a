import { CreateKeyCommand, DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { commandLine, variablesOf } from '../../support/command-line.ts'
import { givenBucket } from '../../support/s3.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = stack.kms()
const s3 = stack.s3()
const { run } = commandLine(variablesOf(stack, stack.credentials))

async function givenKey(): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  return KeyMetadata?.Arn ?? ''
}

const put = (Bucket: string, Key: string, SSEKMSKeyId: string) =>
  s3.send(
    new PutObjectCommand({
      Bucket,
      Key,
      Body: `bytes of ${Key}`,
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId,
    }),
  )

async function read(Bucket: string, Key: string): Promise<string | undefined> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
  return Body?.transformToString()
}

test('What becomes unreadable is summed up and named, and the rest of it on request', async () => {
  const [key, bucket] = [await givenKey(), await givenBucket(s3)]
  const names = Array.from({ length: 23 }, (_, at) => `report-${at}`)
  await Promise.all(names.map((name) => put(bucket, name, key)))
  const short = await run('impact', key)
  expect(short).toMatchObject({ code: 0, stderr: '' })
  expect(short.stdout).toMatch(/^Becomes unreadable +23 objects \(\d+ bytes\)$/m)
  expect(short.stdout).toMatch(new RegExp(`^${bucket} +23 +\\d+ bytes$`, 'm'))
  expect(short.stdout.match(new RegExp(`^${bucket}/report-`, 'gm'))).toHaveLength(20)
  expect(short.stdout).toContain('And 3 objects more: --all lists them.\n')

  const whole = (await run('impact', key, '--all', '--json')).json<{
    readonly Objects: readonly { readonly Key: string; readonly LastModifiedDate: string }[]
  }>()
  expect(whole).toMatchObject({ KeyId: key, ObjectCount: 23, UploadCount: 0, GrantCount: 0 })
  expect(whole.Objects.map(({ Key }) => Key).sort()).toEqual(names.sort())
  expect(whole.Objects[0]?.LastModifiedDate).toMatch(/^\d{4}-\d\d-\d\dT/)
})

test('Who deletes a key is told what goes with it, before and after', async () => {
  const [key, bucket] = [await givenKey(), await givenBucket(s3)]
  await put(bucket, 'report', key)
  const asked = await run('key', 'schedule-deletion', key)
  expect(asked).toMatchObject({ code: 2, stdout: '' })
  expect(asked.stderr).toContain('is lost then, 1 object (15 bytes) among it.')
  const scheduled = await run('key', 'schedule-deletion', key, '--yes', '--json')
  expect(scheduled.json()).toMatchObject({
    KeyState: 'PendingDeletion',
    Impact: { ObjectCount: 1, ObjectBytes: 15, UploadCount: 0, GrantCount: 0 },
  })
})

test('What is under a key is taken to another one, with a proof that nothing is left', async () => {
  const [key, target, bucket] = [await givenKey(), await givenKey(), await givenBucket(s3)]
  const names = ['a', 'b', 'c']
  for (const name of names) await put(bucket, name, key)
  const plan = await run('rekey', 'key', key, '--target-key', target, '--check', '--json')
  expect(plan.json()).toMatchObject({ Verification: { Remaining: 3, Complete: false } })

  const done = await run('rekey', 'key', key, '--target-key', target)
  expect(done).toMatchObject({ code: 0, stderr: '' })
  expect(done.stdout).toMatch(/^Rewrapped +3 objects \(30 bytes that stay where they are\)$/m)
  expect(done.stdout).toMatch(/^Remaining +0 objects \(0 bytes\)$/m)
  const [, id = ''] = /^In the audit trail as +(\S+)$/m.exec(done.stdout) ?? []
  const { Events } = (
    await run('audit', 'lookup', '--since', '5m', '--event', 'VerifyRekey', '--json')
  ).json<{ readonly Events: readonly { readonly CloudTrailEvent: string }[] }>()
  const events = Events.map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent))
  expect(events.find(({ requestID }) => requestID === id)).toMatchObject({
    requestParameters: { keyId: key, targetKeyId: target },
    additionalEventData: { remaining: 0, remainingUploads: 0, complete: true },
  })
  await kms.send(new DisableKeyCommand({ KeyId: key }))
  for (const name of names) expect(await read(bucket, name)).toBe(`bytes of ${name}`)
  const again = await run('rekey', 'bucket', bucket, '--target-key', target, '--json')
  expect(again.json()).toMatchObject({ Verification: { Current: 3, Complete: true } })
})

test('What cannot be done is named, and done when it can', async () => {
  const [key, closed, target] = [await givenKey(), await givenKey(), await givenKey()]
  const bucket = await givenBucket(s3)
  await put(bucket, 'open', key)
  await put(bucket, 'closed', closed)
  await kms.send(new DisableKeyCommand({ KeyId: closed }))
  const half = await run('rekey', 'bucket', bucket, '--target-key', target)
  expect(half.code).toBe(1)
  expect(half.stdout).toMatch(/^Rewrapped +1 object /m)
  expect(half.stdout).toMatch(new RegExp(`^${bucket}/closed +DisabledException +`, 'm'))
  expect(half.stderr).toMatch(/^keyhold: 1 object and 0 uploads remain\. Run it again/)
  await kms.send(new EnableKeyCommand({ KeyId: closed }))
  const whole = await run('rekey', 'bucket', bucket, '--target-key', target, '--json')
  expect(whole.json()).toMatchObject({
    Rewrapped: 1,
    Failures: [],
    Verification: { Complete: true },
  })
  expect(await read(bucket, 'closed')).toBe('bytes of closed')
})

test('A bucket that there is not is told in one sentence', async () => {
  const { code, stderr } = await run('rekey', 'bucket', 'no-such-bucket-here')
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: 'keyhold: The bucket no-such-bucket-here does not exist. (NoSuchEntityException)\n',
  })
})
