import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { CreateKeyCommand } from '@aws-sdk/client-kms'
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { commandLine, variablesOf } from '../../support/command-line.ts'
import { givenBucket } from '../../support/s3.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const s3 = stack.s3()
const { home, run } = commandLine(variablesOf(stack, stack.credentials))

const MIB = 1024 * 1024

const head = (Bucket: string, Key: string) => s3.send(new HeadObjectCommand({ Bucket, Key }))
const namesIn = async (Bucket: string) => {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }))
  return Contents.map(({ Key }) => Key)
}

test.each([
  [0, 'empty'],
  [1000, 'small'],
  [4 * MIB, 'the largest in one piece'],
  [4 * MIB + 1, 'one part'],
  [19 * MIB + 7, 'several parts and ranges'],
])('A file of %d bytes goes there and back: %s', async (size) => {
  const bucket = await givenBucket(s3)
  const bytes = randomBytes(size)
  writeFileSync(join(home, 'file.bin'), bytes)
  const url = `s3://${bucket}/folder/`
  const up = await run('cp', 'file.bin', url, '--content-type', 'image/x-test')
  expect(up).toMatchObject({ code: 0, stderr: '' })
  expect(up.stdout).toMatch(/^file\.bin \(.*\) is at s3:\/\/.*\/folder\/file\.bin\.\n$/)
  const { Body, ContentType } = await s3.send(
    new GetObjectCommand({ Bucket: bucket, Key: 'folder/file.bin' }),
  )
  expect(ContentType).toBe('image/x-test')
  expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(bytes)).toBe(true)

  const down = await run('cp', `${url}file.bin`, 'back.bin', '--json')
  expect(down.json()).toEqual({ From: `${url}file.bin`, To: 'back.bin', Size: size })
  expect(readFileSync(join(home, 'back.bin')).equals(bytes)).toBe(true)
})

test('What is asked for decides how objects are encrypted', async () => {
  const { KeyMetadata } = await stack.kms().send(new CreateKeyCommand({}))
  const [bucket, key] = [await givenBucket(s3), KeyMetadata?.Arn ?? '']
  for (const [name, size] of [['small', 10] as const, ['large', 9 * MIB] as const]) {
    writeFileSync(join(home, name), randomBytes(size))
    const target = `s3://${bucket}/${name}`
    expect((await run('cp', name, target, '--kms-key', key)).code).toBe(0)
    const kms = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: key }
    expect(await head(bucket, name)).toMatchObject(kms)
    expect((await run('cp', name, target, '--sse', 'aws:kms:dsse')).code).toBe(0)
    expect(await head(bucket, name)).toMatchObject({ ServerSideEncryption: 'aws:kms:dsse' })
  }
})

test('What cannot be read or written leaves nothing behind', async () => {
  const bucket = await givenBucket(s3)
  writeFileSync(join(home, 'big'), randomBytes(5 * MIB))
  const refused = await run('cp', 'big', `s3://${bucket}/x`, '--kms-key', 'alias/no-such-key')
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
  expect(Uploads ?? []).toEqual([])
  mkdirSync(join(home, 'target'))
  const missing = await run('cp', `s3://${bucket}/missing`, 'target/file')
  expect(missing.code).toBe(1)
  expect(readdirSync(join(home, 'target'))).toEqual([])
  for (const args of [
    ['cp', 'big', 'small'],
    ['cp', 's3://a/b', 's3://c/d'],
    ['cp', 'no-such-file', `s3://${bucket}/x`],
    ['cp', `s3://${bucket}/`, 'target'],
    ['sync', 'no-such-directory', `s3://${bucket}`],
  ]) {
    expect((await run(...args)).code, args.join(' ')).toBe(2)
  }
})

test('A directory and objects are brought in line, both ways', async () => {
  const bucket = await givenBucket(s3)
  const directory = join(home, 'tree')
  mkdirSync(join(directory, 'deep/er'), { recursive: true })
  for (const name of ['a', 'b', 'deep/c', 'deep/er/ä d']) {
    writeFileSync(join(directory, name), `bytes of ${name}`)
  }
  const url = `s3://${bucket}/copy`
  const first = (await run('sync', 'tree', url, '--json')).json<{ Copied: string[] }>()
  expect(first.Copied.sort()).toEqual(['a', 'b', 'deep/c', 'deep/er/ä d'])
  expect(await namesIn(bucket)).toEqual(['copy/a', 'copy/b', 'copy/deep/c', 'copy/deep/er/ä d'])
  expect((await run('sync', 'tree', url, '--json')).json()).toMatchObject({ Copied: [] })

  writeFileSync(join(directory, 'a'), 'other bytes, longer')
  const later = new Date(Date.now() + 60_000)
  utimesSync(join(directory, 'b'), later, later)
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'copy/surplus', Body: 'x' }))
  const second = (await run('sync', 'tree', url, '--json')).json<{ Copied: string[] }>()
  expect(second.Copied.sort()).toEqual(['a', 'b'])
  const asked = await run('sync', 'tree', url, '--delete')
  expect(asked.stderr).toContain('Delete 1 file that only the target has? Nobody is here to answer')
  const third = await run('sync', 'tree', url, '--delete', '--yes', '--json')
  expect(third.json()).toMatchObject({ Deleted: ['surplus'] })
  expect(await namesIn(bucket)).not.toContain('copy/surplus')

  expect((await run('sync', url, 'fresh')).stdout).toMatch(/^4 files copied \(.*\)\.\n$/)
  expect(readFileSync(join(home, 'fresh/deep/er/ä d'), 'utf8')).toBe('bytes of deep/er/ä d')
  expect((await run('sync', url, 'fresh', '--json')).json()).toMatchObject({ Copied: [] })
})

test('An object whose name leads out of the directory is not written anywhere', async () => {
  const bucket = await givenBucket(s3)
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'p/a', Body: 'x' }))
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'p/b/../../../escaped', Body: 'x' }))
  const { code, stderr } = await run('sync', `s3://${bucket}/p`, 'inside')
  expect(code).toBe(2)
  expect(stderr).toContain('"p/b/../../../escaped"')
  expect(existsSync(join(home, '../escaped'))).toBe(false)
  expect(existsSync(join(home, 'inside'))).toBe(false)
})
