import { chmodSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { connect } from '../../../cli/connection/connection.ts'
import { readProfile, saveProfile } from '../../../cli/connection/profiles.ts'
import { Failure, WrongUsage } from '../../../cli/problem.ts'

const KEY = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG' }
const inVariables = {
  AWS_ACCESS_KEY_ID: KEY.accessKeyId,
  AWS_SECRET_ACCESS_KEY: KEY.secretAccessKey,
}

let home = ''
let files: Record<string, string> = {}

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'keyhold-connection-'))
  files = {
    AWS_SHARED_CREDENTIALS_FILE: join(home, 'aws', 'credentials'),
    AWS_CONFIG_FILE: join(home, 'aws', 'config'),
    KEYHOLD_DATA_DIR: join(home, 'data'),
  }
})

const profile = (name: string, accessKeyId: string, endpoint = 'https://of.profile') =>
  saveProfile(name, { credentials: { ...KEY, accessKeyId }, region: 'eu-west-1', endpoint }, files)

/** As a stack writes it when it starts. */
function localStack(accessKeyId: string, name = 'env'): void {
  mkdirSync(join(home, 'data'), { recursive: true })
  const lines = [
    'export AWS_ENDPOINT_URL=http://127.0.0.1:4567',
    `export AWS_ACCESS_KEY_ID=${accessKeyId}`,
    `export AWS_SECRET_ACCESS_KEY='it'\\''s#secret'`,
    'export AWS_REGION=us-west-2',
  ]
  writeFileSync(join(home, 'data', name), `${lines.join('\n')}\n`)
}

test('The environment says where and as whom', () => {
  const variables = { ...files, ...inVariables, AWS_SESSION_TOKEN: 't', AWS_REGION: 'us-west-2' }
  expect(connect({}, { ...variables, AWS_ENDPOINT_URL: 'https://a.example' })).toEqual({
    endpoint: 'https://a.example',
    region: 'us-west-2',
    credentials: { ...KEY, sessionToken: 't' },
    source: 'the environment',
  })
})

test.each([
  [{}, {}, 'http://localhost:4566'],
  [{}, { AWS_ENDPOINT_URL: 'http://aws' }, 'http://aws'],
  [{}, { AWS_ENDPOINT_URL: 'http://aws', KEYHOLD_ENDPOINT: 'http://own' }, 'http://own'],
  [{ endpoint: 'http://flag/' }, { KEYHOLD_ENDPOINT: 'http://own' }, 'http://flag'],
])('Of %j and %j the endpoint is the nearest', (flags, variables, endpoint) => {
  expect(connect(flags, { ...files, ...inVariables, ...variables }).endpoint).toBe(endpoint)
})

test.each(['localhost:4566', 'ftp://host', 'http://host/path', 'http://host/?q', 'no'])(
  'The endpoint %s is none',
  (endpoint) => {
    expect(() => connect({ endpoint }, { ...files, ...inVariables })).toThrow(WrongUsage)
  },
)

test('A profile that is asked for goes before the environment, with its endpoint and Region', () => {
  profile('team', 'AKIAOFTHEPROFILE')
  expect(connect({ profile: 'team' }, { ...files, ...inVariables })).toEqual({
    endpoint: 'https://of.profile',
    region: 'eu-west-1',
    credentials: { ...KEY, accessKeyId: 'AKIAOFTHEPROFILE' },
    source: 'the profile team',
  })
})

test('The profile of AWS_PROFILE goes after keys in the environment', () => {
  profile('team', 'AKIAOFTHEPROFILE')
  const variables = { ...files, AWS_PROFILE: 'team' }
  expect(connect({}, variables).credentials.accessKeyId).toBe('AKIAOFTHEPROFILE')
  expect(connect({}, { ...variables, ...inVariables }).credentials).toEqual(KEY)
})

test('A profile that there is not, or that has no access key, is said', () => {
  expect(() => connect({ profile: 'none' }, { ...files, ...inVariables })).toThrow(WrongUsage)
  mkdirSync(join(home, 'aws'))
  writeFileSync(files.AWS_CONFIG_FILE ?? '', '[profile sso]\nsso_session = x\n')
  expect(() => connect({ profile: 'sso' }, files)).toThrow(/"sso" has no access key/)
})

test('Where nothing says who calls, the local stack lends its credentials, for itself only', () => {
  localStack('AKIAOFTHESTACK')
  expect(connect({}, files)).toMatchObject({
    endpoint: 'http://127.0.0.1:4567',
    region: 'us-west-2',
    credentials: { accessKeyId: 'AKIAOFTHESTACK', secretAccessKey: "it's#secret" },
  })
  expect(connect({ endpoint: 'http://localhost:4567' }, files).credentials.accessKeyId).toBe(
    'AKIAOFTHESTACK',
  )
  expect(() => connect({ endpoint: 'http://example.com:4567' }, files)).toThrow(Failure)
})

test('The local stack goes before the default profile, and others go before it', () => {
  profile('default', 'AKIAOFTHEDEFAULT')
  expect(connect({}, files).credentials.accessKeyId).toBe('AKIAOFTHEDEFAULT')
  localStack('AKIAOFTHESTACK')
  expect(connect({}, files).credentials.accessKeyId).toBe('AKIAOFTHESTACK')
  expect(connect({}, { ...files, ...inVariables }).credentials).toEqual(KEY)
})

test('The operator of the local stack is lent where asked for, whoever else is named', () => {
  localStack('AKIAOFTHEADMIN')
  localStack('AKIAOFTHEOPERATOR', 'operator.env')
  const accessKeyOf = (...given: Parameters<typeof connect>) => connect(...given).credentials
  expect(accessKeyOf({ operator: true }, { ...files, ...inVariables }).accessKeyId).toBe(
    'AKIAOFTHEOPERATOR',
  )
  expect(accessKeyOf({}, files, 'operator').accessKeyId).toBe('AKIAOFTHEOPERATOR')
  expect(accessKeyOf({}, { ...files, ...inVariables }, 'operator')).toEqual(KEY)
  expect(() => connect({ operator: true, profile: 'team' }, files)).toThrow(WrongUsage)
})

test('Without a local stack nobody is its operator', () => {
  expect(() => connect({ operator: true }, { ...files, ...inVariables })).toThrow(/operator/)
})

test('Without any credentials it is said how to come by some', () => {
  expect(() => connect({}, files)).toThrow(/keyhold configure/)
})

test('A saved profile is its owner’s alone, also when the file was open to others', () => {
  const path = profile('team', 'AKIAOFTHEPROFILE')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  chmodSync(path, 0o644)
  profile('other', 'AKIAOFTHEOTHER')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readProfile('team', files)?.credentials?.accessKeyId).toBe('AKIAOFTHEPROFILE')
})

test('A session’s token does not stay with the key that takes its place', () => {
  const at = { region: 'us-east-1', endpoint: 'http://localhost:4566' }
  saveProfile('team', { credentials: { ...KEY, sessionToken: 'old' }, ...at }, files)
  saveProfile('team', { credentials: KEY, ...at }, files)
  expect(readProfile('team', files)?.credentials).toEqual(KEY)
  expect(readFileSync(files.AWS_SHARED_CREDENTIALS_FILE ?? '', 'utf8')).not.toContain('old')
})

test.each(['a b', '[x]', '', 'a\nb', '#'])('No profile is called %j', (name) => {
  expect(() => profile(name, 'AKIAOFTHEPROFILE')).toThrow(WrongUsage)
})
