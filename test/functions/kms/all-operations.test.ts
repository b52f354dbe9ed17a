/** The surface is whole: each of the operations that KMS has is here, with what belongs to it. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { PROJECT } from '../../../infra/local/functions.ts'
import { modelledOperations } from '../../support/kms-model.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { servedOperations } from '../../support/served-operations.ts'
import { givenStack } from '../../support/stack-client.ts'
import { vectors } from '../../support/vectors.ts'

const served = await servedOperations()
const stack = givenStack()

const kebab = (operation: string): string =>
  operation.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()
const without = (has: (operation: string) => boolean): readonly string[] =>
  modelledOperations.filter((operation) => !has(operation))
const sources = globSync('*.test.ts', { cwd: import.meta.dirname })
  .map((file) => readFileSync(new URL(file, import.meta.url), 'utf8'))
  .join('\n')
const isThere = (path: string): boolean => existsSync(new URL(path, PROJECT))

test('KMS has 56 operations', () => {
  expect(modelledOperations).toHaveLength(56)
})

describe('every operation of KMS', () => {
  test('is served', () => {
    expect(without((operation) => served.has(operation))).toEqual([])
  })

  test('has its file, by its name', () => {
    const named = (operation: string) => `functions/kms/${kebab(operation)}`
    expect(without((operation) => isThere(`${named(operation)}.ts`))).toEqual([])
    const handlers = Object.fromEntries(served)
    expect(handlers).toEqual(
      Object.fromEntries([...served.keys()].map((name) => [name, `${named(name)}.handler`])),
    )
  })

  test('is called by a test through the official client', () => {
    expect(without((operation) => sources.includes(`new ${operation}Command(`))).toEqual([])
  })

  test('has the errors that its model lists', () => {
    const errors = vectors<Readonly<Record<string, readonly string[]>>>('kms-operation-errors.json')
    expect(Object.keys(errors).toSorted()).toEqual(modelledOperations)
  })
})

test('nothing is served that KMS does not have', () => {
  expect([...served.keys()].filter((name) => !modelledOperations.includes(name))).toEqual([])
})

test.each([...served.keys()])('%s answers as itself, not as an unknown operation', async (name) => {
  const { json } = jsonOf(await callKms(stack, name, '[]'))
  expect(json).toMatchObject({ __type: 'SerializationException' })
})
