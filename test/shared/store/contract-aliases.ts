import { expect, test } from 'vitest'
import { aliasNameOf } from '../../../shared/ids.ts'
import { ConditionFailed } from '../../../shared/store/repositories.ts'
import { type Given, walk, winners } from './contract.ts'
import { givenAccount, givenAlias, keyIdOf, otherRegion, region } from './given.ts'

export function aliasContract(given: Given): void {
  const aliases = () => given.store().aliases

  test.each(['payments', '__proto__', 'a/b#c', 'x'.repeat(250)])(
    'the alias %s is read back as it was written',
    async (name) => {
      const alias = givenAlias(givenAccount(), name)
      await aliases().create(alias)
      expect(await aliases().get(alias.account, region, alias.aliasName)).toEqual(alias)
      expect(await aliases().get(alias.account, otherRegion, alias.aliasName)).toBeNull()
      expect(await aliases().get(givenAccount(), region, alias.aliasName)).toBeNull()
    },
  )

  test('of fifty racing creations of an alias one wins', async () => {
    const account = givenAccount()
    const attempts = Array.from({ length: 50 }, (_, at) =>
      aliases().create(givenAlias(account, 'contended', keyIdOf(at))),
    )
    expect(await winners(attempts, ConditionFailed)).toBe(1)
  })

  test('an alias is pointed elsewhere against its revision only', async () => {
    const alias = givenAlias(givenAccount(), 'moving')
    await aliases().create(alias)
    const next = { ...alias, targetKeyId: keyIdOf(2), rev: 2 }
    await aliases().update(next, 1)
    await expect(aliases().update({ ...next, rev: 2 }, 1)).rejects.toThrow(ConditionFailed)
    expect(await aliases().get(alias.account, region, alias.aliasName)).toEqual(next)
    const ofKey = (number: number) =>
      aliases().listOfKey(alias.account, region, keyIdOf(number), 10, null)
    expect((await ofKey(1)).items).toEqual([])
    expect((await ofKey(2)).items).toEqual([next])
  })

  test('an alias is deleted against its revision only', async () => {
    const alias = givenAlias(givenAccount(), 'leaving')
    await aliases().create(alias)
    await expect(aliases().delete({ ...alias, rev: 2 })).rejects.toThrow(ConditionFailed)
    await aliases().delete(alias)
    expect(await aliases().get(alias.account, region, alias.aliasName)).toBeNull()
    await expect(aliases().delete(alias)).rejects.toThrow(ConditionFailed)
  })

  test.each([1, 2, 3, 5, 100])('aliases are listed by name in pages of %i', async (limit) => {
    const account = givenAccount()
    const names = ['c', 'a', 'e', 'b', 'd']
    const made = names.map((name, at) => givenAlias(account, name, keyIdOf(at % 2)))
    await Promise.all(made.map((alias) => aliases().create(alias)))
    const listed = await walk(limit, (after) => aliases().list(account, region, limit, after))
    expect(listed.map(({ aliasName }) => aliasName)).toEqual(
      ['a', 'b', 'c', 'd', 'e'].map((name) => aliasNameOf(`alias/${name}`)),
    )
    expect(listed[2]).toEqual(made[0])
    const ofKey = await walk(limit, (after) =>
      aliases().listOfKey(account, region, keyIdOf(0), limit, after),
    )
    expect(ofKey.map(({ aliasName }) => aliasName)).toEqual(['alias/c', 'alias/d', 'alias/e'])
  })
}
