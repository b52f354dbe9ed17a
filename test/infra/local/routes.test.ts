import { describe, expect, test } from 'vitest'
import { readFunctions } from '../../../infra/local/functions.ts'
import { type Route, routesOf, routeTable } from '../../../infra/local/routes.ts'

const routeTo = (method: string, path: string): Route => ({
  method,
  path,
  handler: `${method} ${path}`,
  streams: false,
})

describe('The table finds', () => {
  const find = routeTable([
    routeTo('POST', '/kms/Encrypt'),
    routeTo('ANY', '/kms/{operation}'),
    routeTo('GET', '/kms/{operation}'),
    routeTo('ANY', '/sts'),
  ])

  test.each([
    ['POST', '/kms/Encrypt', 'POST /kms/Encrypt'],
    ['PUT', '/kms/Encrypt', 'ANY /kms/{operation}'],
    ['POST', '/kms/unknown', 'ANY /kms/{operation}'],
    ['GET', '/kms/unknown', 'GET /kms/{operation}'],
    ['DELETE', '/sts', 'ANY /sts'],
  ])('for %s %s the route %s', (method, path, handler) => {
    expect(find(method, path)?.handler).toBe(handler)
  })

  test.each([
    ['POST', '/kms'],
    ['POST', '/kms/'],
    ['POST', '/kms/a/b'],
    ['POST', '/KMS/Encrypt'],
    ['POST', '/'],
    ['POST', ''],
    ['POST', '/sts/'],
  ])('nothing for %s %s', (method, path) => {
    expect(find(method, path)).toBeNull()
  })
})

test('Two routes for the same are refused', () => {
  const twice = [routeTo('POST', '/kms/Encrypt'), routeTo('POST', '/kms/Encrypt')]
  expect(() => routeTable(twice)).toThrow('two routes')
})

test('A variable before the last segment is refused', () => {
  expect(() => routeTable([routeTo('GET', '/{bucket}/acl')])).toThrow('last segment')
})

test('The description names a route for every function that is called over HTTP', async () => {
  const functions = await readFunctions()
  const routes = routesOf(functions)
  const find = routeTable(routes)
  for (const { method, path, handler } of routes) expect(find(method, path)?.handler).toBe(handler)
  const silent = functions.filter(
    ({ handler }) => !routes.some((route) => route.handler === handler),
  )
  expect(silent.map(({ name }) => name)).toEqual([
    'tenantsBootstrap',
    'scheduleDeleteDueKeys',
    'scheduleDeleteDueTenants',
    'scheduleExpireImportedMaterial',
    'scheduleRotateDueKeys',
    'scheduleSweepBlobs',
    'auditRelay',
    'auditArchive',
  ])
})

test('What is for S3 streams, and nothing else does', async () => {
  for (const { path, streams } of routesOf(await readFunctions())) {
    expect([path, streams]).toEqual([path, path.startsWith('/s3/')])
  }
})
