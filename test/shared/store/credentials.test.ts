import { expect, test } from 'vitest'
import { defaultCredentials } from '../../../shared/store/credentials.ts'

test('the credentials of the environment are used as they are', async () => {
  const env = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', AWS_SESSION_TOKEN: 'c' }
  const credentials = await defaultCredentials(env)()
  expect(credentials).toEqual({ accessKeyId: 'a', secretAccessKey: 'b', sessionToken: 'c' })
})

test('an empty session token is none', async () => {
  const env = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', AWS_SESSION_TOKEN: '' }
  expect((await defaultCredentials(env)()).sessionToken).toBeUndefined()
})
