import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'

/** From the top to the bottom; a file may import from its own room and from rooms below it. */
const ROOMS = [
  'functions',
  'shared/lambda',
  'shared/pipeline',
  'shared/blobs',
  'shared/audit',
  'shared/keys',
  'shared/authz',
  'shared/authn',
  'shared/tenants',
  'shared/hsm',
  'shared/store',
  'shared/crypto',
  'shared',
]

const roomOf = (file: string): number => ROOMS.findIndex((room) => file.startsWith(`${room}/`))

test('imports point downwards only', () => {
  const upward = globSync('{functions,shared}/**/*.ts').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)]
      .map(([, path = '']) => normalize(join(dirname(file), path)))
      .filter((imported) => roomOf(imported) < roomOf(file))
      .map((imported) => `${file} imports ${imported}`),
  )
  expect(upward).toEqual([])
})

test('only the store knows DynamoDB', () => {
  const knowing = globSync('{functions,shared}/**/*.ts').filter(
    (file) =>
      !file.startsWith('shared/store/') &&
      /@aws-sdk\/(?:client|lib)-dynamodb/.test(readFileSync(file, 'utf8')),
  )
  expect(knowing).toEqual([])
})
