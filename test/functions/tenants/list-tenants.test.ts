import { expect, test } from 'vitest'
import { callKeyhold } from '../../support/keyhold-client.ts'
import { givenStack } from '../../support/stack-client.ts'

test('lists the tenants', async () => {
  const stack = givenStack()
  const { status, body } = await callKeyhold(stack, 'ListTenants')
  expect(status).toBe(200)
  expect(body.Tenants).toContainEqual(expect.objectContaining({ AccountId: stack.account }))
})

test('an operation that is none is refused by its name', async () => {
  expect(await callKeyhold(givenStack(), 'MakeTea')).toEqual({
    status: 400,
    body: { __type: 'UnknownOperationException' },
  })
})
