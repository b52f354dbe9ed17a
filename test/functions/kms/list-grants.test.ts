import {
  type GrantListEntry,
  ListGrantsCommand,
  type ListGrantsCommandInput,
  ListRetirableGrantsCommand,
  type ListRetirableGrantsCommandInput,
  paginateListGrants,
  paginateListRetirableGrants,
  RevokeGrantCommand,
} from '@aws-sdk/client-kms'
import { afterAll, describe, expect, test } from 'vitest'
import { allow, givenGrant, recorded, removeUser } from '../../support/grants.ts'
import { givenAlias, givenKey, givenKeyPendingDeletion, kmsClient } from '../../support/kms.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenTenantsStack, type User } from '../../support/tenants-stack.ts'

const stack = await givenTenantsStack()
afterAll(() => stack.close())

const { admin } = stack
const kms = kmsClient(admin)
const other = await stack.tenant('444455556666')
const [ada, bob] = [
  await stack.user(admin.account, 'ada'),
  await stack.user(admin.account, 'bob'),
] as const
const key = await givenKey(kms)
const ids: string[] = []
for (let index = 0; index < 7; index++) {
  const grantee = index % 2 === 0 ? ada : bob
  ids.push((await givenGrant(kms, key.keyId, grantee, { RetiringPrincipal: ada.arn })).grantId)
}

const idsOf = (grants: readonly GrantListEntry[] = []) => grants.map(({ GrantId }) => GrantId)
const denied = (user: User, action: string, rest: string) =>
  refused(
    'AccessDeniedException',
    `User: ${user.arn} is not authorized to perform: ${action} ${rest}`,
  )

describe('ListGrants', () => {
  const list = (input: Partial<ListGrantsCommandInput>, by = kms) =>
    by.send(new ListGrantsCommand({ KeyId: key.keyId, ...input }))
  const refusal = (input: Partial<ListGrantsCommandInput>, by = kms) => refusalOf(list(input, by))

  test('shows each grant with all that it is, and no token', async () => {
    const { keyId, arn } = await givenKey(kms)
    const { grantId } = await givenGrant(kms, keyId, ada, {
      RetiringPrincipal: bob.arn,
      Operations: ['RetireGrant', 'Encrypt'],
      Constraints: { EncryptionContextSubset: { a: '1' } },
      Name: 'nightly',
    })
    const { $metadata, ...answer } = await list({ KeyId: keyId })
    expect(answer).toEqual({
      Truncated: false,
      Grants: [
        {
          KeyId: arn,
          GrantId: grantId,
          Name: 'nightly',
          CreationDate: expect.any(Date),
          GranteePrincipal: ada.arn,
          RetiringPrincipal: bob.arn,
          IssuingAccount: `arn:aws:iam::${admin.account}:root`,
          Operations: ['Encrypt', 'RetireGrant'],
          Constraints: { EncryptionContextSubset: { a: '1' } },
        },
      ],
    })
    expect((answer.Grants?.[0]?.CreationDate?.getTime() ?? 1) % 1000).toBe(0)
  })

  test('leaves out what a grant has not', async () => {
    const { keyId, arn } = await givenKey(kms)
    const { grantId } = await givenGrant(kms, keyId, ada)
    expect((await list({ KeyId: keyId })).Grants).toEqual([
      {
        KeyId: arn,
        GrantId: grantId,
        CreationDate: expect.any(Date),
        GranteePrincipal: ada.arn,
        IssuingAccount: `arn:aws:iam::${admin.account}:root`,
        Operations: ['Encrypt'],
      },
    ])
  })

  test.for([1, 2, 3, 6, 7, 8])('in pages of %i brings every grant once', async (pageSize) => {
    const found: (string | undefined)[] = []
    const input = { KeyId: key.keyId }
    for await (const page of paginateListGrants({ client: kms, pageSize }, input)) {
      expect(page.Grants?.length).toBeLessThanOrEqual(pageSize)
      found.push(...idsOf(page.Grants))
    }
    expect(found.toSorted()).toEqual(ids.toSorted())
  })

  test('brings 50 unless told otherwise, and 100 at most', async () => {
    const { keyId } = await givenKey(kms)
    await Promise.all(Array.from({ length: 101 }, () => givenGrant(kms, keyId, ada)))
    const sizes = [undefined, 1, 100, 1000].map(async (Limit) => {
      const { Grants = [], Truncated } = await list({
        KeyId: keyId,
        ...(Limit === undefined ? {} : { Limit }),
      })
      return [Grants.length, Truncated]
    })
    expect(await Promise.all(sizes)).toEqual([
      [50, true],
      [1, true],
      [100, true],
      [100, true],
    ])
  })

  test('of a grantee, of a grant, and of both', async () => {
    const ofAda = ids.filter((_, index) => index % 2 === 0)
    const [first = '', second = ''] = ids
    expect(idsOf((await list({ GranteePrincipal: ada.arn })).Grants).toSorted()).toEqual(
      ofAda.toSorted(),
    )
    const paged = await list({ GranteePrincipal: ada.arn, Limit: 3 })
    const rest = await list({ GranteePrincipal: ada.arn, Marker: paged.NextMarker })
    expect(idsOf([...(paged.Grants ?? []), ...(rest.Grants ?? [])]).toSorted()).toEqual(
      ofAda.toSorted(),
    )
    expect(idsOf((await list({ GrantId: second })).Grants)).toEqual([second])
    expect(idsOf((await list({ GrantId: first, GranteePrincipal: ada.arn })).Grants)).toEqual([
      first,
    ])
    expect((await list({ GrantId: first, GranteePrincipal: bob.arn })).Grants).toEqual([])
    expect((await list({ GrantId: '0'.repeat(64) })).Grants).toEqual([])
    expect((await list({ GranteePrincipal: admin.account })).Grants).toEqual([])
    expect((await list({ KeyId: (await givenKey(kms)).keyId, GrantId: first })).Grants).toEqual([])
  })

  test('refuses what cannot be a grant, a grantee or a marker of this list', async () => {
    expect(await refusal({ GrantId: 'x' })).toEqual(refused('InvalidGrantIdException', null))
    const gone = await stack.user(admin.account, 'gone')
    const { caller } = await stack.call(gone)
    await removeUser(caller)
    expect(await refusal({ GranteePrincipal: caller.principalId })).toEqual(
      refused('InvalidArnException', 'Input does not refer to a valid principal'),
    )
    expect(await refusal({ GranteePrincipal: gone.arn })).toEqual(
      refused('InvalidArnException', `ARN does not refer to a valid principal: ${gone.arn}`),
    )
    const service = 's3.us-east-1.amazonaws.com'
    expect((await refusal({ GranteeServicePrincipal: service })).name).toBe('ValidationException')
    const { NextMarker } = await list({ Limit: 2 })
    for (const input of [
      { Marker: 'x' },
      { Marker: NextMarker, GranteePrincipal: ada.arn },
      { Marker: NextMarker, KeyId: (await givenKey(kms)).keyId },
    ]) {
      expect(await refusal(input)).toEqual(refused('InvalidMarkerException', null))
    }
    expect((await refusal({ Limit: 0 })).name).toBe('ValidationException')
  })

  test('takes the key in any state by id and ARN, and no alias', async () => {
    const pending = await givenKeyPendingDeletion(kms)
    expect((await list({ KeyId: pending.arn })).Grants).toEqual([])
    expect(await refusal({ KeyId: await givenAlias(kms, key.keyId) })).toEqual(
      refused('InvalidArnException', 'Key Aliases are not supported for this operation.'),
    )
  })

  test('is not for whom no policy lets', async () => {
    expect(await refusal({}, kmsClient(ada))).toEqual(
      denied(
        ada,
        'kms:ListGrants',
        `on resource: ${key.arn} because no identity-based policy allows the kms:ListGrants action`,
      ),
    )
    expect((await refusal({ KeyId: key.arn }, kmsClient(other))).name).toBe('AccessDeniedException')
  })

  test('leaves a record of what was asked', async () => {
    const input = { KeyId: key.keyId, GranteePrincipal: ada.arn, Limit: 1 }
    const { record } = await recorded(stack, admin, 'ListGrants', input)
    expect(record).toMatchObject({
      eventName: 'ListGrants',
      readOnly: true,
      responseElements: null,
    })
    expect(record.requestParameters).toEqual({
      keyId: key.keyId,
      granteePrincipal: ada.arn,
      limit: 1,
    })
  })
})

describe('ListRetirableGrants', () => {
  const list = (input: Partial<ListRetirableGrantsCommandInput>, by = kms) =>
    by.send(new ListRetirableGrantsCommand({ RetiringPrincipal: ada.arn, ...input }))
  const refusal = (input: Partial<ListRetirableGrantsCommandInput>, by = kms) =>
    refusalOf(list(input, by))

  test.for([1, 3, 7, 100])(
    'in pages of %i brings each grant of the principal once',
    async (pageSize) => {
      const found: GrantListEntry[] = []
      const input = { RetiringPrincipal: ada.arn }
      for await (const page of paginateListRetirableGrants({ client: kms, pageSize }, input)) {
        found.push(...(page.Grants ?? []))
      }
      expect(idsOf(found).toSorted()).toEqual(ids.toSorted())
      expect(found[0]).toMatchObject({ KeyId: key.arn, RetiringPrincipal: ada.arn })
    },
  )

  test('brings grants of all keys and accounts, and none that have ended', async () => {
    const carol = await stack.user(admin.account, 'carol')
    const RetiringPrincipal = carol.arn
    const foreign = kmsClient(other)
    const [mine, theirs] = [await givenKey(kms), await givenKey(foreign)]
    const a = await givenGrant(kms, mine.keyId, ada, { RetiringPrincipal })
    const b = await givenGrant(foreign, theirs.keyId, other, { RetiringPrincipal })
    await givenGrant(kms, mine.keyId, carol, { RetiringPrincipal: admin.account })
    const { Grants = [] } = await list({ RetiringPrincipal })
    expect(new Set(idsOf(Grants))).toEqual(new Set([a.grantId, b.grantId]))
    expect(idsOf((await list({ RetiringPrincipal: admin.account })).Grants)).toHaveLength(1)
    await kms.send(new RevokeGrantCommand({ KeyId: mine.keyId, GrantId: a.grantId }))
    expect(idsOf((await list({ RetiringPrincipal })).Grants)).toEqual([b.grantId])
    const elsewhere = kmsClient({ ...admin, region: 'eu-west-1' })
    expect((await list({ RetiringPrincipal }, elsewhere)).Grants).toEqual([])
  })

  test('what a service may retire is that of the own keys', async () => {
    const RetiringServicePrincipal = 's3.us-east-1.amazonaws.com'
    const foreign = kmsClient(other)
    await givenGrant(foreign, (await givenKey(foreign)).keyId, other, { RetiringServicePrincipal })
    const mine = await givenGrant(kms, key.keyId, ada, { RetiringServicePrincipal })
    const { Grants } = await kms.send(new ListRetirableGrantsCommand({ RetiringServicePrincipal }))
    expect(idsOf(Grants)).toEqual([mine.grantId])
    await kms.send(new RevokeGrantCommand({ KeyId: key.keyId, GrantId: mine.grantId }))
  })

  test('takes exactly one principal, of the own account', async () => {
    expect((await refusal({ RetiringServicePrincipal: 's3.a.amazonaws.com' })).name).toBe(
      'ValidationException',
    )
    expect((await refusal({ RetiringPrincipal: undefined })).name).toBe('ValidationException')
    const gone = await stack.user(admin.account, 'leaver')
    const { caller } = await stack.call(gone)
    await removeUser(caller)
    expect(await refusal({ RetiringPrincipal: caller.principalId })).toEqual(
      refused('NotFoundException', `Retiring principal ${caller.principalId} could not be found`),
    )
    for (const arn of [gone.arn, other.arn, `arn:aws:iam::${other.account}:user/nobody`]) {
      expect(await refusal({ RetiringPrincipal: arn })).toEqual(
        refused('InvalidArnException', `ARN does not refer to a valid principal: ${arn}`),
      )
    }
    const bad = `arn:aws:sts::${admin.account}:assumed-role/a/b/c`
    expect(await refusal({ RetiringPrincipal: bad })).toEqual(
      refused('InvalidArnException', `ARN is not valid: ${bad}`),
    )
    expect(await refusal({ Marker: 'x' })).toEqual(refused('InvalidMarkerException', null))
  })

  test('needs permission on everything', async () => {
    expect(await refusal({}, kmsClient(ada))).toEqual(
      denied(
        ada,
        'kms:ListRetirableGrants',
        'on resource: * because no identity-based policy allows the kms:ListRetirableGrants action',
      ),
    )
    const able = await stack.user(admin.account, 'able', allow('kms:ListRetirableGrants'))
    expect((await list({}, kmsClient(able))).Grants).toHaveLength(7)
  })

  test('leaves a record of what was asked', async () => {
    const input = { RetiringPrincipal: ada.arn, Limit: 2 }
    const { record } = await recorded(stack, admin, 'ListRetirableGrants', input)
    expect(record).toMatchObject({ eventName: 'ListRetirableGrants', readOnly: true })
    expect(record.requestParameters).toEqual({ retiringPrincipal: ada.arn, limit: 2 })
  })
})
