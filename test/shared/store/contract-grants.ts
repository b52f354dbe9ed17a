import { PutCommand } from '@aws-sdk/lib-dynamodb'
import { expect, test } from 'vitest'
import type { AccountId, GrantId } from '../../../shared/ids.ts'
import { granteeTag, grantIdOf } from '../../../shared/store/grant-rows.ts'
import type { GrantRecord } from '../../../shared/store/records.ts'
import { ConditionFailed, RowMalformed, RowMisplaced } from '../../../shared/store/repositories.ts'
import { type Given, walk, winners } from './contract.ts'
import { givenAccount, givenBundle, givenGrant, keyIdOf, otherRegion, region } from './given.ts'

export function grantContract(given: Given): void {
  const grants = () => given.store().grants
  const key = (account: AccountId, number = 1) => ({ account, region, keyId: keyIdOf(number) })
  const idOf = (account: AccountId, grantee: string, number: number, of = 1): GrantId =>
    grantIdOf(key(account, of), grantee, number.toString(16).padStart(40, '0'))

  test('a grant is read back by its id, and nowhere else', async () => {
    const account = givenAccount()
    const grant = givenGrant(account)
    await grants().create(grant)
    expect(await grants().get(key(account), grant.grantId)).toEqual(grant)
    expect(await grants().get(key(account, 2), grant.grantId)).toBeNull()
    expect(await grants().get({ ...key(account), region: otherRegion }, grant.grantId)).toBeNull()
    expect(await grants().get(key(givenAccount()), grant.grantId)).toBeNull()
  })

  test.each<Partial<GrantRecord>>([
    { name: null, constraints: null, operations: [] },
    { constraints: {} },
    { constraints: { encryptionContextEquals: {}, sourceArn: 'arn:aws:s3:::a' } },
    { grantee: 'service/s3.amazonaws.com', retiring: '111122223333' },
  ])('a grant with %o is read back', async (differs) => {
    const grant = givenGrant(givenAccount(), differs)
    await grants().create(grant)
    expect(await grants().get(grant, grant.grantId)).toEqual(grant)
  })

  test('of racing creations of a grant one wins', async () => {
    const account = givenAccount()
    const attempts = Array.from({ length: 20 }, (_, createdAt) =>
      grants().create(givenGrant(account, { createdAt })),
    )
    expect(await winners(attempts, ConditionFailed)).toBe(1)
  })

  test('a grant that was deleted is gone, and deleting it again is no error', async () => {
    const grant = givenGrant(givenAccount())
    await grants().create(grant)
    await grants().delete(grant)
    await grants().delete(grant)
    expect(await grants().get(grant, grant.grantId)).toBeNull()
    expect(await grants().ofGrantee(grant, grant.grantee)).toEqual([])
  })

  test.each([1, 2, 100])(
    'grants are listed and counted by key and grantee, in pages of %i',
    async (limit) => {
      const account = givenAccount()
      const [ada, bob] = [`${account}/AIDAADA`, `${account}/AIDABOB`]
      const made = (grantee: string, number: number, of = 1) =>
        givenGrant(account, {
          grantee,
          grantId: idOf(account, grantee, number, of),
          keyId: keyIdOf(of),
        })
      const [a, b, c] = [made(ada, 1), made(ada, 2), made(bob, 1)]
      for (const grant of [c, b, a, made(ada, 1, 2)]) await grants().create(grant)
      const list = (grantee: string | null) =>
        walk(limit, (after) => grants().list(key(account), grantee, limit, after))
      const byId = (one: GrantRecord, other: GrantRecord) => (one.grantId < other.grantId ? -1 : 1)
      expect(await list(null)).toEqual([a, b, c].sort(byId))
      expect(await list(ada)).toEqual([a, b])
      expect(await list(account)).toEqual([])
      expect(await grants().ofGrantee(key(account), ada)).toEqual([a, b])
      expect(await grants().ofGrantee(key(account), bob)).toEqual([c])
      expect(await grants().count(key(account))).toBe(3)
      expect(await grants().count(key(account, 3))).toBe(0)
    },
  )

  test('the grants that a principal may retire are listed over all keys of the Region', async () => {
    const [account, other] = [givenAccount(), givenAccount()]
    const retiring = `${account}/AIDAADA`
    const [a, b, c] = [
      givenGrant(account, { retiring }),
      givenGrant(account, { retiring, keyId: keyIdOf(2) }),
      givenGrant(other, { retiring }),
    ]
    for (const grant of [c, b, a]) await grants().create(grant)
    await grants().create(givenGrant(account, { retiring: account, keyId: keyIdOf(3) }))
    const list = (of: string) =>
      walk(1, (after) => grants().listRetirable(account, region, of, 1, after))
    expect(await list(retiring)).toEqual([a, b, c])
    expect(await list(account)).toHaveLength(1)
    expect(await list(`${account}/AIDABOB`)).toEqual([])
    const elsewhere = grants().listRetirable(account, otherRegion, retiring, 10, null)
    expect(await elsewhere).toEqual({ items: [], next: null })
    await grants().delete(b)
    expect(await list(retiring)).toEqual([a, c])
  })

  test('what a service may retire is listed by the account of the key', async () => {
    const [account, other] = [givenAccount(), givenAccount()]
    const retiring = 'service/s3.amazonaws.com'
    for (const of of [account, other]) await grants().create(givenGrant(of, { retiring }))
    const { items } = await grants().listRetirable(account, region, retiring, 10, null)
    expect(items).toEqual([givenGrant(account, { retiring })])
  })

  test('a key is read without its grants, and deleted with them', async () => {
    const account = givenAccount()
    const bundle = givenBundle(account)
    await given.store().keys.create(bundle)
    const grant = givenGrant(account)
    await grants().create(grant)
    expect(await given.store().keys.get(account, region, keyIdOf(1))).toEqual(bundle)
    await given.store().keys.delete(bundle.key)
    expect(await grants().get(grant, grant.grantId)).toBeNull()
  })

  test('a grant is refused on another key, for another grantee, and malformed', async () => {
    const [account, other] = [givenAccount(), givenAccount()]
    const grant = givenGrant(account)
    const { retiring: _, breakGlassUntil: __, ...attributes } = grant
    const put = (of: AccountId, row: object) =>
      given.client().send(
        new PutCommand({
          TableName: 'keyhold-keys',
          Item: {
            ...attributes,
            operations: JSON.stringify(grant.operations),
            constraints: JSON.stringify(grant.constraints),
            pk: `${of}#${region}#key#${keyIdOf(1)}`,
            sk: `grant#${grant.grantId}`,
            ...row,
          },
        }),
      )
    const read = (of: AccountId) => grants().get(key(of), grant.grantId)
    await put(other, {})
    await expect(read(other)).rejects.toThrow(RowMisplaced)
    await put(account, { grantee: `${account}/AIDABOB` })
    await expect(read(account)).rejects.toThrow(RowMisplaced)
    for (const row of [
      { operations: '["Everything"]' },
      { operations: '{}' },
      { constraints: '{"encryptionContextEquals":{"a":1}}' },
      { constraints: '{"encryptionContextSubset":[]}' },
      { constraints: '{"sourceArn":7}' },
      { createdAt: 'yesterday' },
    ]) {
      await put(account, row)
      await expect(read(account)).rejects.toThrow(RowMalformed)
    }
    await put(account, {})
    expect(await read(account)).toEqual(grant)
  })

  test('the tag of a grantee is another on every key', () => {
    const account = givenAccount()
    const tags = [key(account), key(account, 2), key(givenAccount())].map((of) =>
      granteeTag(of, `${account}/AIDAADA`),
    )
    expect(new Set(tags).size).toBe(3)
  })
}
