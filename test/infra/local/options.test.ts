import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readOptions, withDefaults } from '../../../infra/local/options.ts'
import { StartProblem } from '../../../infra/local/start-problem.ts'

const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'

test('Without flags and variables the defaults count', () => {
  expect(readOptions([], {})).toEqual({
    host: '127.0.0.1',
    port: 4566,
    dataDir: resolve('.keyhold'),
    regions: ['us-east-1', 'us-west-2', 'eu-west-1'],
    publicHosts: [],
    s3Hosts: [],
  })
})

test('Variables count before defaults, and flags before variables', () => {
  const variables = {
    KEYHOLD_PORT: '1',
    KEYHOLD_DATA_DIR: '/data',
    KEYHOLD_ACCOUNT_ID: '111122223333',
    KEYHOLD_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    KEYHOLD_SECRET_ACCESS_KEY: SECRET,
    KEYHOLD_REGIONS: 'eu-west-1, eu-west-1,eu-central-1',
    KEYHOLD_PUBLIC_HOSTS: 'keyhold.internal:4566',
    KEYHOLD_S3_HOSTS: 's3.keyhold.internal:4566',
    KEYHOLD_SEED: 'seed.yaml',
    KEYHOLD_TEST_ENDPOINTS: 'off',
    KEYHOLD_UNSIGNED_AS: '111122223333/tester',
  }
  expect(readOptions(['--port', '0', '--host=::1'], variables)).toEqual({
    host: '::1',
    port: 0,
    dataDir: '/data',
    regions: ['eu-west-1', 'eu-central-1'],
    publicHosts: ['keyhold.internal:4566'],
    s3Hosts: ['s3.keyhold.internal:4566'],
    account: '111122223333',
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: SECRET,
    seed: resolve('seed.yaml'),
    testEndpoints: false,
    unsignedAs: { account: '111122223333', userName: 'tester' },
  })
})

test('A variable that is empty counts as not set', () => {
  expect(readOptions([], { KEYHOLD_PORT: '', KEYHOLD_ACCOUNT_ID: '' })).toEqual(readOptions([], {}))
})

test('What is given in code is completed by the defaults', () => {
  const options = withDefaults({ port: 0, dataDir: 'here' })
  expect(options).toMatchObject({ port: 0, host: '127.0.0.1', dataDir: resolve('here') })
})

describe('One clear line is said about', () => {
  test.each([
    [['--port', '65536'], {}, '--port (KEYHOLD_PORT) must be a port, 0 to 65535, not "65536".'],
    [['--port', '-1'], {}, '--port'],
    [['--port', '8e1'], {}, '--port (KEYHOLD_PORT)'],
    [['--prot', '1'], {}, "'--prot'"],
    [['here'], {}, "'here'"],
    [['--regions', 'mars'], {}, 'such as eu-west-1, not "mars"'],
    [['--regions', ','], {}, 'at least one Region'],
    [[], { KEYHOLD_ACCOUNT_ID: '12' }, 'twelve digits, not "12"'],
    [[], { KEYHOLD_ACCESS_KEY_ID: 'short' }, 'KEYHOLD_ACCESS_KEY_ID'],
    [['--test-endpoints', 'yes'], {}, 'must be on or off, not "yes"'],
    [['--test-endpoints', 'toString'], {}, 'must be on or off'],
    [['--unsigned-as', 'tester'], {}, 'such as 111122223333/tester, not "tester"'],
    [[], { KEYHOLD_UNSIGNED_AS: '1234/tester' }, 'KEYHOLD_UNSIGNED_AS'],
    [['--secret-access-key', SECRET], {}, "'--secret-access-key'"],
    [
      [],
      { KEYHOLD_CACHE_SECONDS: 'abc' },
      'KEYHOLD_CACHE_SECONDS must be a number of seconds, 0 to 86400, not "abc".',
    ],
    [[], { KEYHOLD_CACHE_SECONDS: '-1' }, 'not "-1"'],
    [[], { KEYHOLD_CACHE_SECONDS: '1e3' }, 'KEYHOLD_CACHE_SECONDS'],
    [[], { KEYHOLD_BLOB_GRACE_SECONDS: '90000' }, 'KEYHOLD_BLOB_GRACE_SECONDS must be'],
    [
      [],
      { KEYHOLD_LOG_LEVEL: 'loud' },
      'KEYHOLD_LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent, not "loud".',
    ],
    [[], { KEYHOLD_LOG_LEVEL: 'toString' }, 'KEYHOLD_LOG_LEVEL'],
    [[], { KEYHOLD_PUBLIC_HOSTS: 'http://keyhold.internal' }, 'such as keyhold.internal:4566'],
    [['--public-hosts', 'one two'], {}, 'not "one two"'],
  ])('%j %j', (args, variables, message) => {
    const read = () => readOptions(args, variables as NodeJS.ProcessEnv)
    expect(read).toThrow(StartProblem)
    expect(read).toThrow(message)
    expect(read).not.toThrow('\n')
  })

  test('a secret of the wrong form, without saying it', () => {
    const read = () => readOptions([], { KEYHOLD_SECRET_ACCESS_KEY: 'too short' })
    expect(read).toThrow('KEYHOLD_SECRET_ACCESS_KEY must be')
    expect(read).not.toThrow('too short')
  })
})

test('--help lists every flag with its variable, and a secret has no flag', () => {
  const help = readOptions(['--help'], {}) as string
  expect(help).toMatch(/--port +KEYHOLD_PORT .*\(4566\)/)
  expect(help).toMatch(/\n +KEYHOLD_SECRET_ACCESS_KEY/)
  for (const name of ['CACHE_SECONDS', 'BLOB_GRACE_SECONDS', 'ATTESTATION_ROOT', 'LOG_LEVEL']) {
    expect(help).toMatch(new RegExp(`\n +KEYHOLD_${name} +\\S`))
  }
})
