import { expect, test, vi } from 'vitest'
import { aliasNameOf, type KeyId } from '../../../shared/ids.ts'
import { changeAlias } from '../../../shared/pipeline/alias-lookup.ts'
import type { Call } from '../../../shared/pipeline/operation.ts'
import type { AliasRecord } from '../../../shared/store/records.ts'
import { ConditionFailed } from '../../../shared/store/repositories.ts'
import { CALLER, REGION } from '../../support/audit-records.ts'

const keyIdOf = (text: string): KeyId => text as KeyId
const alias: AliasRecord = {
  account: CALLER.account,
  region: REGION,
  aliasName: aliasNameOf('alias/a'),
  targetKeyId: keyIdOf('one'),
  createdAt: 0,
  updatedAt: 0,
  rev: 1,
}

function givenCall(stored: AliasRecord | null) {
  const forgetAlias = vi.fn()
  const services = { store: { aliases: { get: async () => stored } }, keys: { forgetAlias } }
  const call = { caller: CALLER, region: REGION, services } as unknown as Call
  return { call, forgetAlias }
}

test('An alias is changed as it is now, and forgotten', async () => {
  const { call, forgetAlias } = givenCall(alias)
  const change = vi.fn(async () => {})
  await changeAlias('alias/a', keyIdOf('one'), call, change)
  expect(change).toHaveBeenCalledExactlyOnceWith(alias)
  expect(forgetAlias).toHaveBeenCalledExactlyOnceWith(alias)
})

test('An alias that has gone to a key that nobody was asked about is left alone', async () => {
  const { call } = givenCall({ ...alias, targetKeyId: keyIdOf('other') })
  const change = vi.fn(async () => {})
  await expect(changeAlias('alias/a', keyIdOf('one'), call, change)).rejects.toMatchObject({
    code: 'ThrottlingException',
  })
  expect(change).not.toHaveBeenCalled()
})

test('An alias that somebody else changes at the same time is for the caller to try again', async () => {
  const { call, forgetAlias } = givenCall(alias)
  const change = async () => {
    throw new ConditionFailed()
  }
  await expect(changeAlias('alias/a', keyIdOf('one'), call, change)).rejects.toMatchObject({
    code: 'ThrottlingException',
  })
  expect(forgetAlias).toHaveBeenCalledOnce()
})

test('An alias that is gone by now is not found', async () => {
  const { call } = givenCall(null)
  await expect(changeAlias('alias/a', keyIdOf('one'), call, async () => {})).rejects.toMatchObject({
    code: 'NotFoundException',
    text: `Alias arn:aws:kms:${REGION}:${CALLER.account}:alias/a is not found.`,
  })
})
