import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { type FunctionEntry, readFunctions } from '../../infra/local/functions.ts'
import { routesOf } from '../../infra/local/routes.ts'
import {
  deployedRoutes,
  MAX_RESOURCES,
  type Resource,
  resourcesOf,
  type Template,
} from '../../infra/template.ts'

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))
const PACKAGING_MS = 240_000

let said = ''
let template: Template = { Resources: {} }
let functions: readonly FunctionEntry[] = []

beforeAll(async () => {
  const [{ stdout }, entries] = await Promise.all([
    promisify(execFile)(process.execPath, ['infra/package.ts'], { cwd: PROJECT, env: {} }),
    readFunctions(),
  ])
  said = stdout
  functions = entries
  const file = `${PROJECT}dist/package/cloudformation-template-update-stack.json`
  template = JSON.parse(await readFile(file, 'utf8')) as Template
}, PACKAGING_MS)

const logicalId = ({ name }: FunctionEntry): string =>
  `${name.charAt(0).toUpperCase()}${name.slice(1)}LambdaFunction`

const resource = (name: string): Resource => {
  const found = template.Resources[name]
  if (found === undefined) throw new Error(`The template has no ${name}.`)
  return found
}

interface Statement {
  readonly Effect: string
  readonly Action: string | readonly string[]
  readonly Resource: unknown
}

const statementsOf = (role: Resource): readonly Statement[] => {
  const { Policies } = role.Properties as {
    Policies: readonly { PolicyDocument: { Statement: readonly Statement[] } }[]
  }
  return Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
}

test('Packaging tells the size of every bundle and the number of resources', () => {
  for (const { handler } of functions) expect(said).toContain(handler.replace(/\.handler$/, '\n'))
  const count = Object.keys(template.Resources).length
  expect(said).toContain(`${functions.length} functions, ${count} of ${MAX_RESOURCES} resources`)
  expect(count).toBeLessThan(0.8 * MAX_RESOURCES)
})

test('The template has every function, for Node.js 24 on arm64, and no other', () => {
  const deployed = resourcesOf(template, 'AWS::Lambda::Function')
  expect(deployed.map(([name]) => name).sort()).toEqual(functions.map(logicalId).sort())
  for (const entry of functions) {
    expect(resource(logicalId(entry)).Properties).toMatchObject({
      Handler: entry.handler,
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
    })
  }
})

test('The deployed routes are the routes of the local stack', () => {
  const sorted = (routes: readonly unknown[]) => routes.map((route) => JSON.stringify(route)).sort()
  const local = routesOf(functions).map(({ method, path, handler, streams }) => ({
    method,
    path,
    handler,
    streams,
  }))
  expect(local.length).toBeGreaterThan(40)
  expect(sorted(deployedRoutes(template))).toEqual(sorted(local))
})

test('Everything that the template refers to is in it', () => {
  const missing = [...references(template.Resources)].filter(
    (name) => !name.startsWith('AWS::') && template.Resources[name] === undefined,
  )
  expect(missing).toEqual([])
})

test('No resource waits for itself', () => {
  const done = new Set<string>()
  const visit = (name: string, path: readonly string[]): void => {
    expect(path).not.toContain(name)
    if (done.has(name)) return
    for (const next of references(template.Resources[name])) visit(next, [...path, name])
    done.add(name)
  }
  for (const name of Object.keys(template.Resources)) visit(name, [])
})

describe('A role', () => {
  test('is shared by the functions of one API alone', () => {
    const apis = new Map<string, Set<string>>()
    for (const entry of functions) {
      const { Role } = resource(logicalId(entry)).Properties as { Role: { 'Fn::GetAtt': string[] } }
      const name = String(Role['Fn::GetAtt'][0])
      apis.set(name, (apis.get(name) ?? new Set()).add(entry.handler.split('/')[1] ?? ''))
    }
    expect([...apis].filter(([, names]) => names.size > 1)).toEqual([])
    expect([...apis.keys()].sort()).toEqual(
      resourcesOf(template, 'AWS::IAM::Role')
        .map(([name]) => name)
        .sort(),
    )
  })

  test('allows single actions on single resources, and no scan', () => {
    for (const [name, role] of resourcesOf(template, 'AWS::IAM::Role')) {
      for (const { Effect, Action, Resource } of statementsOf(role)) {
        expect([name, Effect]).toEqual([name, 'Allow'])
        for (const action of [Action].flat()) {
          expect(action).toMatch(/^[a-z0-9]+:[A-Za-z]+$/)
          expect(action).not.toBe('dynamodb:Scan')
        }
        if (Resource === '*') expect([name, Action]).toEqual([name, 'dynamodb:ListStreams'])
      }
    }
  })

  test('that reads the archive or the root key’s policy is none of them', () => {
    const actions = resourcesOf(template, 'AWS::IAM::Role').flatMap(([name, role]) =>
      statementsOf(role).flatMap(({ Action }) => [Action].flat().map((each) => `${name} ${each}`)),
    )
    expect(actions.filter((action) => action.startsWith('AuditArchiveRole s3:'))).toEqual([
      'AuditArchiveRole s3:PutObject',
    ])
    expect(
      actions.filter((action) => action.includes(' kms:') && !action.endsWith(' kms:Decrypt')),
    ).toEqual(['TenantsRole kms:Encrypt']) // seals the keys of new tenants
  })
})

describe('A bucket', () => {
  test.each(['Blobs', 'AuditArchive'])(
    '%s is private, spoken to over TLS, and outlives the stack',
    (name) => {
      const bucket = resource(name) as Resource & { readonly DeletionPolicy?: string }
      expect(bucket.DeletionPolicy).toBe('Retain')
      expect(bucket.Properties.PublicAccessBlockConfiguration).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      })
      const policy = JSON.stringify(resource(`${name}Policy`).Properties)
      expect(policy).toContain('"Effect":"Deny","Principal":"*","Action":"s3:*"')
      expect(policy).toContain('{"Bool":{"aws:SecureTransport":"false"}}')
    },
  )

  test('AuditArchive keeps what was written', () => {
    const { Properties } = resource('AuditArchive')
    expect(Properties).toMatchObject({
      ObjectLockEnabled: true,
      VersioningConfiguration: { Status: 'Enabled' },
    })
  })
})

describe('The edge', () => {
  test('is deployed as it was built, and knows both APIs', async () => {
    const { FunctionCode, FunctionConfig } = resource('EdgeFunction').Properties
    expect(FunctionCode).toBe(await readFile(`${PROJECT}dist/edge.txt`, 'utf8'))
    expect(FunctionConfig).toMatchObject({ Runtime: 'cloudfront-js-2.0' })
    expect([...references(resource('Edge').Properties)]).toEqual(
      expect.arrayContaining(['HttpApi', 'ApiGatewayRestApi', 'EdgeFunction']),
    )
  })

  test('adds the secret whose hash every function of an API asks for', () => {
    const distribution = JSON.stringify(resource('Edge').Properties)
    expect(distribution.match(/"x-keyhold-origin-secret"/g)).toHaveLength(2)
    for (const entry of functions) {
      const called = routesOf([entry]).length > 0
      const { Environment } = resource(logicalId(entry)).Properties as {
        Environment: { Variables: Record<string, unknown> }
      }
      const asks = 'KEYHOLD_ORIGIN_SECRET_SHA256' in Environment.Variables
      expect([entry.name, asks]).toEqual([entry.name, called])
    }
  })
})

/** The logical ids in Ref, GetAtt, Sub and DependsOn, however deep. */
function* references(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return
  for (const [name, inner] of Object.entries(value)) {
    if (name === 'Ref') yield String(inner)
    else if (name === 'Fn::GetAtt') yield String([inner].flat()[0]).split('.')[0] ?? ''
    else if (name === 'DependsOn') yield* [inner].flat().map(String)
    else if (name === 'Fn::Sub') {
      for (const [, id] of String([inner].flat()[0]).matchAll(/\$\{([\w:]+)/g)) yield id ?? ''
    }
    yield* references(inner)
  }
}
