import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'

/** @returns every file that a file of `pattern` imports by a path, as `<file> imports <other>` */
const imports = (pattern: string): readonly (readonly [file: string, imported: string])[] =>
  globSync(pattern).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(
      ([, path = '']) => [file, normalize(join(dirname(file), path))] as const,
    ),
  )

test('The command line knows the service by its API, and by the format of what it stores', () => {
  const allowed =
    /^cli\/|^shared\/ids\.ts$|^shared\/blobs\/(?:encrypt-stream|segments)\.ts$|^package\.json$/
  const foreign = imports('cli/**/*.ts').filter(([, imported]) => !allowed.test(imported))
  expect(imports('cli/**/*.ts').length).toBeGreaterThan(50)
  expect(foreign).toEqual([])
})

test('Nothing of the service knows the command line', () => {
  const knowing = imports('{functions,shared,infra}/**/*.ts').filter(([, imported]) =>
    imported.startsWith('cli/'),
  )
  expect(knowing).toEqual([])
})
