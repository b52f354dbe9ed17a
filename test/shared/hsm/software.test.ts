import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  createSoftwareHsm,
  openSoftwareHsm,
  RootKeyFileProblem,
} from '../../../shared/hsm/software.ts'
import { vectors } from '../../support/vectors.ts'
import { describeHsm } from './hsm-contract.ts'

const frozen = vectors<{ rootKeyFile: string; rootKeyId: string }>('key-hierarchy-v1.json')
const aad = Buffer.from('aad')

let directory: string
let path: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keyhold-'))
  path = join(directory, 'root.key')
})

afterEach(async () => {
  await rm(directory, { recursive: true })
})

/** What `openSoftwareHsm` says about the file. */
async function problemWith(file: string): Promise<string> {
  const problem: unknown = await openSoftwareHsm(file).catch((error: unknown) => error)
  expect(problem).toBeInstanceOf(RootKeyFileProblem)
  return problem instanceof Error ? problem.message : ''
}

async function givenFile(content: string | Buffer, mode = 0o600): Promise<string> {
  await writeFile(path, content)
  await chmod(path, mode)
  return path
}

describeHsm('software', async () => ({
  hsm: await createSoftwareHsm(path),
  other: await createSoftwareHsm(join(directory, 'other.key')),
}))

describe('creating a root key', () => {
  test('leaves one file that only its owner can read, and no draft', async () => {
    await createSoftwareHsm(path)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(path)).nlink).toBe(1)
    expect(await readdir(directory)).toEqual(['root.key'])
  })

  test('keeps what was sealed openable from the file', async () => {
    const created = await createSoftwareHsm(path)
    const sealed = await created.seal(Buffer.alloc(32, 7), aad)
    const opened = await openSoftwareHsm(path)
    expect(opened.rootKeyId).toBe(created.rootKeyId)
    expect(await opened.open(created.rootKeyId, sealed, aad)).toEqual(Buffer.alloc(32, 7))
  })

  test('does not touch a root key that is there', async () => {
    await createSoftwareHsm(path)
    const before = await readFile(path)
    const attempt = createSoftwareHsm(path)
    await expect(attempt).rejects.toThrow(RootKeyFileProblem)
    await expect(attempt).rejects.toThrow(`There is a root key file ${path} already`)
    expect(await readFile(path)).toEqual(before)
    expect(await readdir(directory)).toEqual(['root.key'])
  })

  test('gives one key when several processes create at the same time', async () => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 8 }, () => createSoftwareHsm(path)),
    )
    const created = attempts.filter((attempt) => attempt.status === 'fulfilled')
    expect(created).toHaveLength(1)
    expect((await openSoftwareHsm(path)).rootKeyId).toBe(created[0]?.value.rootKeyId)
    expect(await readdir(directory)).toEqual(['root.key'])
  })

  test('makes another key each time', async () => {
    const one = await createSoftwareHsm(path)
    const other = await createSoftwareHsm(join(directory, 'other.key'))
    expect(one.rootKeyId).not.toBe(other.rootKeyId)
  })

  test('says when the directory does not exist', async () => {
    const attempt = createSoftwareHsm(join(directory, 'missing', 'root.key'))
    await expect(attempt).rejects.toThrow(RootKeyFileProblem)
    await expect(attempt).rejects.toThrow('does not exist: create it first')
  })
})

describe('opening a root key', () => {
  test('opens the file as it was when its form was frozen', async () => {
    const hsm = await openSoftwareHsm(await givenFile(frozen.rootKeyFile))
    expect(hsm.rootKeyId).toBe(frozen.rootKeyId)
  })

  test('forgives a missing last line end, as after typing the line in', async () => {
    const hsm = await openSoftwareHsm(await givenFile(frozen.rootKeyFile.trimEnd()))
    expect(hsm.rootKeyId).toBe(frozen.rootKeyId)
  })

  test('names the key without revealing it', async () => {
    const hsm = await openSoftwareHsm(await givenFile(frozen.rootKeyFile))
    const key = Buffer.from(frozen.rootKeyFile.split(' ')[2] ?? '', 'base64')
    expect(key).toHaveLength(32)
    expect(key.includes(Buffer.from(hsm.rootKeyId.slice('software:'.length), 'hex'))).toBe(false)
  })

  test('follows a link, as a mounted secret is one', async () => {
    await givenFile(frozen.rootKeyFile)
    await symlink(path, join(directory, 'link.key'))
    const hsm = await openSoftwareHsm(join(directory, 'link.key'))
    expect(hsm.rootKeyId).toBe(frozen.rootKeyId)
  })

  test('refuses a file with any character changed', async () => {
    for (let i = 0; i < frozen.rootKeyFile.length; i++) {
      const spoiled = Buffer.from(frozen.rootKeyFile)
      spoiled[i] = (spoiled[i] ?? 0) ^ 1
      expect(await problemWith(await givenFile(spoiled)), `character ${i}`).toContain('is damaged')
    }
  })

  test('refuses a file whose key is not the one that it names, though the checksum is right', async () => {
    const [form, rootKeyId] = frozen.rootKeyFile.split(' ')
    const content = `${form} ${rootKeyId} ${Buffer.alloc(32, 1).toString('base64')} `
    const checksum = createHash('sha256').update(content).digest('hex')
    expect(await problemWith(await givenFile(`${content}${checksum}\n`))).toContain('is damaged')
  })

  test('refuses a file that was cut, or has more behind it', async () => {
    for (const length of [0, 1, 20, 60, 100, frozen.rootKeyFile.length - 2]) {
      await givenFile(frozen.rootKeyFile.slice(0, length))
      expect(await problemWith(path), `${length} characters`).toContain('is damaged')
    }
    await givenFile(`${frozen.rootKeyFile}x`)
    expect(await problemWith(path)).toContain('is damaged')
  })

  test.each([0o604, 0o640, 0o660, 0o666, 0o610, 0o602])(
    'refuses a file of mode %o',
    async (mode) => {
      const message = await problemWith(await givenFile(frozen.rootKeyFile, mode))
      expect(message).toContain(`run chmod 600 ${path}`)
    },
  )

  test.each([0o600, 0o400])('takes a file of mode %o', async (mode) => {
    const hsm = await openSoftwareHsm(await givenFile(frozen.rootKeyFile, mode))
    expect(hsm.rootKeyId).toBe(frozen.rootKeyId)
  })

  test('says what to do about a missing file', async () => {
    expect(await problemWith(path)).toBe(
      `There is no root key file ${path}: restore it from a backup, or create one if this deployment is new.`,
    )
  })

  test('refuses a directory, a pipe and a large file without reading them', async () => {
    await mkdir(join(directory, 'inner'), { mode: 0o700 })
    execFileSync('mkfifo', ['-m', '600', join(directory, 'pipe')])
    expect(await problemWith(join(directory, 'inner'))).toContain('not a root key file')
    expect(await problemWith(join(directory, 'pipe'))).toContain('not a root key file')
    expect(await problemWith(await givenFile(Buffer.alloc(1025, 'a')))).toContain(
      'not a root key file',
    )
  })

  test('no message has more than one line or anything of the key', async () => {
    const spoiled = frozen.rootKeyFile.replace('v1', 'v2')
    await givenFile(spoiled)
    await link(path, join(directory, 'open.key'))
    const messages = [await problemWith(path), await problemWith(join(directory, 'missing'))]
    await chmod(path, 0o644)
    messages.push(await problemWith(join(directory, 'open.key')))
    for (const message of messages) {
      expect(message).not.toContain('\n')
      for (const word of spoiled.trim().split(' ')) expect(message).not.toContain(word)
    }
  })
})
