import { expect, test } from 'vitest'
import { ConditionFailed } from '../../../shared/store/repositories.ts'
import type { Given } from './contract.ts'
import { bucketName, givenAccount, givenPart, givenParts, givenUpload } from './given.ts'

export function uploadContract(given: Given): void {
  const uploads = () => given.store().uploads

  test('an upload is made once, read back and changed against its revision', async () => {
    const upload = givenUpload(givenAccount())
    await uploads().create(upload)
    await expect(uploads().create(upload)).rejects.toThrow(ConditionFailed)
    const read = () => uploads().get(upload.account, bucketName, upload.uploadId)
    expect(await read()).toEqual(upload)
    const completed = { ...upload, completedEtag: 'etag-2', rev: 2 }
    await uploads().update(completed, 1)
    await expect(uploads().update(completed, 1)).rejects.toThrow(ConditionFailed)
    expect(await read()).toEqual(completed)
  })

  test('a part takes the place of one of the same number, which is returned', async () => {
    const upload = givenUpload(givenAccount())
    await uploads().create(upload)
    expect(await uploads().putPart(upload, givenPart(1))).toBeNull()
    const again = { ...givenPart(1), blob: 'another-blob' }
    expect(await uploads().putPart(upload, again)).toEqual(givenPart(1))
    expect(await uploads().parts(upload)).toEqual([again])
  })

  test('parts come by number, all of them, and go with their upload', async () => {
    const upload = givenUpload(givenAccount())
    await uploads().create(upload)
    const parts = [10_000, 2, ...givenParts(60).map((part) => part.partNumber + 2)].map(givenPart)
    await Promise.all(parts.map((part) => uploads().putPart(upload, part)))
    const other = givenUpload(upload.account, 'upload-2')
    await uploads().putPart(other, givenPart(1))
    const inOrder = parts.toSorted((a, b) => a.partNumber - b.partNumber)
    expect(await uploads().parts(upload)).toEqual(inOrder)
    await uploads().delete(upload)
    expect(await uploads().parts(upload)).toEqual([])
    expect(await uploads().get(upload.account, bucketName, upload.uploadId)).toBeNull()
    expect(await uploads().parts(other)).toEqual([givenPart(1)])
  })

  test('uploads of a bucket come by key, then by id', async () => {
    const account = givenAccount()
    const made = [
      { ...givenUpload(account, 'c'), key: '\u{10000}' },
      { ...givenUpload(account, 'b'), key: '\uffee' },
      { ...givenUpload(account, 'z'), key: 'a' },
      { ...givenUpload(account, 'a'), key: 'b' },
      { ...givenUpload(account, 'y'), key: 'a' },
    ]
    for (const upload of made) await uploads().create(upload)
    const ids = (await uploads().list(account, bucketName)).map(({ uploadId }) => uploadId)
    expect(ids).toEqual(['y', 'z', 'a', 'b', 'c'])
  })
}
