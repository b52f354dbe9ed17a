import { afterAll, beforeAll, expect, test } from 'vitest'
import { handler } from '../../../functions/tenants/bootstrap.ts'
import { callKeyhold } from '../../support/keyhold-client.ts'
import { givenTenantsStack, type TenantsStack } from '../../support/tenants-stack.ts'

let stack: TenantsStack
beforeAll(async () => {
  stack = await givenTenantsStack()
})
afterAll(() => stack.close())

test('tells who the first operator is, and never again the secret', async () => {
  const again = await handler()
  expect(again).toEqual({
    account: stack.operator.account,
    userArn: stack.operator.arn,
    accessKeyId: stack.operator.credentials.accessKeyId,
  })
})

test('makes the operator where there is none, who can work at once', async () => {
  const { tenants } = stack.services.store
  const key = (
    await tenants.accessKeys(stack.operator.account, (await operatorOf()).principalId)
  )[0]
  if (key === undefined) throw new Error('The operator has no access key.')
  await tenants.deleteAccessKey(key)
  stack.services.accessKeys.forget(key.accessKeyId)
  const { accessKeyId, secretAccessKey = '' } = await handler()
  const credentials = { accessKeyId, secretAccessKey }
  const { status } = await callKeyhold({ ...stack.operator, credentials }, 'ListTenants')
  expect(status).toBe(200)
})

async function operatorOf() {
  const found = await stack.services.store.tenants.principalByName(
    stack.operator.account,
    'operator',
  )
  if (found === null) throw new Error('There is no operator.')
  return found
}
