/**
 * Two processes on the same tables: what is changed through one holds in the other within the time
 * for which it may cache.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DeleteAliasCommand,
  DisableKeyCommand,
  PutKeyPolicyCommand,
  RevokeGrantCommand,
} from '@aws-sdk/client-kms'
import type { APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { route } from '../../infra/edge/route.ts'
import { httpEvent } from '../../infra/local/http-event.ts'
import { allow, deny } from '../support/grants.ts'
import { callKeyhold } from '../support/keyhold-client.ts'
import { kmsClient } from '../support/kms.ts'
import { kmsHeaders, type SigningTarget, signed } from '../support/raw-call.ts'
import { allowing, assumed, givenRole, trusting } from '../support/sessions.ts'
import { givenTenantsStack, type TenantsStack } from '../support/tenants-stack.ts'

const CACHE_MS = 1000

let stack: TenantsStack
/** Encrypts by the function as another process runs it. @returns the status */
let encryptElsewhere: (as: SigningTarget, KeyId: string) => Promise<number | undefined>

beforeAll(async () => {
  process.env.KEYHOLD_CACHE_SECONDS = String(CACHE_MS / 1000)
  process.env.KEYHOLD_LOG_LEVEL ??= 'silent'
  stack = await givenTenantsStack()
  // A second copy of every module: the same settings and so the same tables, and caches of its own.
  vi.resetModules()
  const { environment } = await import('../../shared/lambda/environment.ts')
  expect((await environment()).services).not.toBe(stack.services)
  const { handler } = await import('../../functions/kms/encrypt.ts')
  encryptElsewhere = async (as, KeyId) => {
    const body = JSON.stringify({ KeyId, Plaintext: 'eA==' })
    const headers = await signed(as, { headers: kmsHeaders('Encrypt'), body })
    const asked = {
      method: 'POST',
      path: '/',
      query: '',
      headers,
      sourceIp: '127.0.0.1',
      s3Hosts: [],
    }
    const event = httpEvent({
      ...asked,
      ...route(asked),
      route: { method: 'POST', path: '/kms/Encrypt', handler: '', streams: false },
      body: Buffer.from(body),
    })
    const answer = await handler(event, {} as Context)
    return (answer as APIGatewayProxyStructuredResultV2).statusCode
  }
}, 60_000)
afterAll(() => stack.close())

interface Case {
  readonly user: SigningTarget
  readonly keyId: string
  /** Takes away, through the first process, what let the user encrypt. */
  change(): Promise<unknown>
}

const givenKey = async (): Promise<string> =>
  (await kmsClient(stack.admin).send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? ''
let users = 0
const givenUser = (...policies: readonly object[]) =>
  stack.user(stack.admin.account, `user-${users++}`, ...policies)
const nameOf = ({ arn }: { arn: string }): string => arn.split('/').at(-1) ?? ''
const may = allow('kms:*')

const cases: Readonly<Record<string, () => Promise<Case>>> = {
  'a key that is disabled': async () => {
    const keyId = await givenKey()
    const change = () => kmsClient(stack.admin).send(new DisableKeyCommand({ KeyId: keyId }))
    return { user: await givenUser(may), keyId, change }
  },
  'another key policy': async () => {
    const keyId = await givenKey()
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { AWS: stack.admin.arn }, Action: 'kms:*', Resource: '*' },
      ],
    })
    const put = new PutKeyPolicyCommand({ KeyId: keyId, Policy })
    return { user: await givenUser(may), keyId, change: () => kmsClient(stack.admin).send(put) }
  },
  'a grant that is revoked': async () => {
    const keyId = await givenKey()
    const user = await givenUser()
    const grant = new CreateGrantCommand({
      KeyId: keyId,
      GranteePrincipal: user.arn,
      Operations: ['Encrypt'],
    })
    const { GrantId = '' } = await kmsClient(stack.admin).send(grant)
    const keyArn = `arn:aws:kms:us-east-1:${stack.admin.account}:key/${keyId}`
    const revoke = new RevokeGrantCommand({ KeyId: keyId, GrantId })
    return { user, keyId: keyArn, change: () => kmsClient(stack.admin).send(revoke) }
  },
  'an alias that is deleted': async () => {
    const AliasName = `alias/two-${users++}`
    const admin = kmsClient(stack.admin)
    await admin.send(new CreateAliasCommand({ AliasName, TargetKeyId: await givenKey() }))
    const change = () => admin.send(new DeleteAliasCommand({ AliasName }))
    return { user: await givenUser(may), keyId: AliasName, change }
  },
  'an access key that is inactive': async () => {
    const user = await givenUser(may)
    const { accessKeyId } = user.credentials
    const input = { UserName: nameOf(user), AccessKeyId: accessKeyId, Status: 'Inactive' }
    const change = () => callKeyhold(stack.admin, 'UpdateAccessKey', input)
    return { user, keyId: await givenKey(), change }
  },
  'another policy of the user': async () => {
    const user = await givenUser(may)
    const input = {
      UserName: nameOf(user),
      PolicyName: 'denies',
      PolicyDocument: JSON.stringify(deny('kms:Encrypt')),
    }
    return {
      user,
      keyId: await givenKey(),
      change: () => callKeyhold(stack.admin, 'PutUserPolicy', input),
    }
  },
  'sessions of a role that are revoked': async () => {
    const name = `role-${users++}`
    const role = await givenRole(
      stack,
      stack.admin.account,
      name,
      [trusting({ AWS: stack.admin.arn })],
      [allowing('kms:*')],
    )
    const user = await assumed(stack.admin, role.arn)
    await sleep(5) // revoked is what began before
    const change = () => callKeyhold(stack.admin, 'RevokeRoleSessions', { RoleName: name })
    return { user, keyId: await givenKey(), change }
  },
  'a tenant that is suspended': async () => {
    const other = await stack.tenant('555566667777')
    const made = await kmsClient(other).send(new CreateKeyCommand({}))
    const change = () => callKeyhold(stack.operator, 'SuspendTenant', { AccountId: other.account })
    return { user: other, keyId: made.KeyMetadata?.KeyId ?? '', change }
  },
}

test.concurrent.each(Object.entries(cases))(
  '%s counts in the other process within its cache time',
  async (_name, given) => {
    const { user, keyId, change } = await given()
    expect(await encryptElsewhere(user, keyId)).toBe(200)
    const changed = await change()
    expect(changed).not.toMatchObject({ status: 400 })
    await sleep(CACHE_MS + 50)
    expect(await encryptElsewhere(user, keyId)).not.toBe(200)
  },
)
