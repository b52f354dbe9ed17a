/**
 * A stack inside of the test's own process, for what a caller cannot bring about: other tenants,
 * users with policies of their own, and whatever lies in the store.
 */

import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStack } from '../../infra/local/stack.ts'
import { callerOf } from '../../shared/authn/caller.ts'
import { systemClock } from '../../shared/clock.ts'
import {
  type AccountId,
  parseAccessKeyId,
  parseAccountId,
  parseRegion,
  type Region,
} from '../../shared/ids.ts'
import { environment } from '../../shared/lambda/environment.ts'
import type { Call, Services } from '../../shared/pipeline/operation.ts'
import { newPrincipalId } from '../../shared/tenants/access-key-id.ts'
import { bootstrap } from '../../shared/tenants/bootstrap.ts'
import { freshUser, principalArn } from '../../shared/tenants/principal.ts'
import type { SigningTarget } from './raw-call.ts'

export interface User extends SigningTarget {
  readonly account: AccountId
  readonly arn: string
}

export interface TenantsStack {
  readonly services: Services
  /** The administrator of the first tenant. */
  readonly admin: User
  /** The first principal of the operator tenant. */
  readonly operator: User
  /** Sets up one more tenant. @returns its administrator */
  tenant(account: string): Promise<User>
  /** Makes a user with these identity policies. */
  user(account: AccountId, name: string, ...policies: readonly object[]): Promise<User>
  /** A call of the user as the pipeline gets it, once the signature is verified. */
  call(user: User): Promise<Call>
  close(): Promise<void>
}

const REGION = 'us-east-1'

export async function givenTenantsStack(): Promise<TenantsStack> {
  const dataDir = await mkdtemp(join(tmpdir(), 'keyhold-tenants-'))
  const account = accountOf('111122223333')
  const { endpoint, accessKeyId, secretAccessKey, operator, close } = await startStack({
    port: 0,
    dataDir,
    account,
    regions: [REGION, 'eu-west-1'].map(regionOf),
  })
  const { services, accessKeys } = await environment()
  const { store, tenantKeys } = services
  const signingAs = (credentials: SigningTarget['credentials']) => ({
    endpoint,
    region: REGION,
    credentials,
  })
  return {
    services,
    admin: {
      ...signingAs({ accessKeyId, secretAccessKey }),
      account,
      arn: `arn:aws:iam::${account}:user/admin`,
    },
    operator: {
      ...signingAs(operator),
      account: operator.account,
      arn: `arn:aws:iam::${operator.account}:user/operator`,
    },
    async tenant(id) {
      const made = await bootstrap({
        tenants: store.tenants,
        tenantKeys,
        accessKeys,
        clock: systemClock,
        account: accountOf(id),
      })
      return { ...signingAs(made), account: made.account, arn: made.userArn }
    },
    async user(of, name, ...policies) {
      const principal = freshUser({
        account: of,
        principalId: newPrincipalId(),
        name,
        policies: policies.map((policy, index) => ({
          name: `policy${index}`,
          document: JSON.stringify(policy),
        })),
        createdAt: Date.now(),
      })
      await store.tenants.createPrincipal(principal)
      const issued = await accessKeys.issue(of, principal.principalId)
      return { ...signingAs(issued), account: of, arn: principalArn(principal) }
    },
    async call({ credentials }) {
      const id = parseAccessKeyId(credentials.accessKeyId)
      const accessKey = id && (await accessKeys.find(id))
      if (accessKey === null) throw new Error('There is no such access key.')
      return {
        services,
        caller: callerOf(accessKey),
        region: regionOf(REGION),
        requestId: randomUUID(),
        sourceIp: '127.0.0.1',
        userAgent: '',
        secure: false,
        via: null,
      }
    },
    async close() {
      await close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

export function accountOf(text: string): AccountId {
  const account = parseAccountId(text)
  if (account === null) throw new Error(`${text} is no account id.`)
  return account
}

function regionOf(text: string): Region {
  const region = parseRegion(text)
  if (region === null) throw new Error(`${text} is no Region.`)
  return region
}
