/** Ending grants: retiring and revoking. */
import {
  PutKeyPolicyCommand,
  RetireGrantCommand,
  type RetireGrantCommandInput,
  RevokeGrantCommand,
  type RevokeGrantCommandInput,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { afterAll, describe, expect, test } from 'vitest'
import { allow, deny, givenGrant, grantsOn, recorded } from '../../support/grants.ts'
import { givenAlias, givenKey, kmsClient } from '../../support/kms.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenTenantsStack, type User } from '../../support/tenants-stack.ts'

const stack = await givenTenantsStack()
afterAll(() => stack.close())

const { admin } = stack
const kms = kmsClient(admin)
const other = await stack.tenant('444455556666')
const foreign = kmsClient(other)
let users = 0
const givenUser = (...policies: object[]) => stack.user(admin.account, `u${++users}`, ...policies)
const givenStranger = (...policies: object[]) =>
  stack.user(other.account, `s${++users}`, ...policies)
const key = await givenKey(kms)
const ABSENT = '0'.repeat(64)
const DRY = refused(
  'DryRunOperationException',
  'The request would have succeeded, but the DryRun option is set.',
)

const isThere = async (grantId: string, KeyId = key.keyId) =>
  (await grantsOn(kms, KeyId)).some(({ GrantId }) => GrantId === grantId)

describe('RetireGrant', () => {
  const retire = (by: User, input: RetireGrantCommandInput) =>
    kmsClient(by).send(new RetireGrantCommand(input))
  const refusal = (by: User, input: RetireGrantCommandInput) => refusalOf(retire(by, input))
  const byId = (grantId: string, KeyId = key.arn) => ({ KeyId, GrantId: grantId })

  test('is for the retiring principal, by token or by key ARN and id, without a policy', async () => {
    const user = await givenUser()
    for (const named of ['token', 'id']) {
      const { grantId, token } = await givenGrant(kms, key.keyId, admin, {
        RetiringPrincipal: user.arn,
      })
      const input = named === 'token' ? { GrantToken: token } : byId(grantId)
      expect(await refusal(user, { ...input, DryRun: true })).toEqual(DRY)
      expect(await isThere(grantId)).toBe(true)
      await retire(user, input)
      expect(await isThere(grantId)).toBe(false)
    }
  })

  test('is for a grantee who was given it, and for no other grantee', async () => {
    const [able, unable] = [await givenUser(), await givenUser()]
    const Constraints = { EncryptionContextEquals: { a: '1' } }
    const Operations = ['Encrypt', 'RetireGrant'] as const
    const mine = await givenGrant(kms, key.keyId, able, {
      Operations: [...Operations],
      Constraints,
    })
    const theirs = await givenGrant(kms, key.keyId, unable, { Constraints })
    await retire(able, byId(mine.grantId))
    expect(await isThere(mine.grantId)).toBe(false)
    for (const user of [able, unable]) {
      expect((await refusal(user, { GrantToken: theirs.token })).name).toBe('AccessDeniedException')
    }
    expect(await isThere(theirs.grantId)).toBe(true)
  })

  test('is for those of the issuing account who have permission', async () => {
    const [able, unable] = [await givenUser(allow('kms:RetireGrant')), await givenUser()]
    const { grantId } = await givenGrant(kms, key.keyId, other)
    expect(await refusal(unable, byId(grantId))).toEqual(
      refused(
        'AccessDeniedException',
        `User: ${unable.arn} is not authorized to perform: kms:RetireGrant on resource: ${key.arn} because no identity-based policy allows the kms:RetireGrant action`,
      ),
    )
    await retire(able, byId(grantId))
    expect(await isThere(grantId)).toBe(false)
  })

  test('is nothing that a key policy gives or takes', async () => {
    const [named, retiring] = [await givenUser(), await givenUser()]
    const own = await givenKey(kms)
    const statement = (Effect: string, user: User, Action: string) => ({
      Effect,
      Principal: { AWS: user.arn },
      Action,
      Resource: '*',
    })
    const Statement = [
      statement('Allow', admin, 'kms:*'),
      statement('Allow', named, 'kms:*'),
      statement('Deny', retiring, 'kms:*'),
    ]
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
    await kms.send(new PutKeyPolicyCommand({ KeyId: own.keyId, Policy }))
    const { grantId } = await givenGrant(kms, own.keyId, admin, { RetiringPrincipal: retiring.arn })
    expect((await refusal(named, byId(grantId, own.arn))).name).toBe('AccessDeniedException')
    await retire(retiring, byId(grantId, own.arn))
    expect(await isThere(grantId, own.keyId)).toBe(false)
  })

  test('is nothing for whom an identity policy denies it', async () => {
    const user = await givenUser(deny('kms:RetireGrant'))
    const { grantId } = await givenGrant(kms, key.keyId, admin, { RetiringPrincipal: user.arn })
    expect((await refusal(user, byId(grantId))).message).toMatch(
      /with an explicit deny in an identity-based policy$/,
    )
  })

  test('can depend on the constraint of the grant', async () => {
    const Condition = {
      StringEquals: {
        'kms:GrantConstraintType': 'EncryptionContextSubset',
        'kms:EncryptionContext:team': 'payments',
      },
    }
    const user = await givenUser(allow('kms:RetireGrant', { Condition }))
    const constrained = (Constraints: object) => givenGrant(kms, key.keyId, other, { Constraints })
    const fits = await constrained({ EncryptionContextSubset: { team: 'payments' } })
    const fitsNot = await constrained({ EncryptionContextEquals: { team: 'payments' } })
    const another = await constrained({ EncryptionContextSubset: { team: 'ledger' } })
    await retire(user, byId(fits.grantId))
    for (const { grantId } of [fitsNot, another]) {
      expect((await refusal(user, byId(grantId))).name).toBe('AccessDeniedException')
    }
  })

  test('on the key of another account takes permission in the own', async () => {
    const [able, unable] = [await givenStranger(allow('kms:RetireGrant')), await givenStranger()]
    for (const [user, ok] of [
      [unable, false],
      [able, true],
    ] as const) {
      const { grantId, token } = await givenGrant(kms, key.keyId, admin, {
        RetiringPrincipal: user.arn,
      })
      const attempt = retire(user, { GrantToken: token })
      if (ok) await attempt
      else expect((await refusalOf(attempt)).name).toBe('AccessDeniedException')
      expect(await isThere(grantId)).toBe(!ok)
    }
  })

  test('tells other accounts the same whether or not there is such a grant or key', async () => {
    const { grantId } = await givenGrant(kms, key.keyId, admin)
    const absentKey = key.arn.replace(key.keyId, '00000000-0000-0000-0000-000000000000')
    for (const user of [await givenStranger(), await givenStranger(allow('kms:*')), other]) {
      const existing = await refusal(user, byId(grantId))
      expect(existing.name).toBe('AccessDeniedException')
      expect(await refusal(user, byId(ABSENT))).toEqual(existing)
      expect(await refusal(user, byId(grantId, absentKey))).toEqual(existing)
    }
  })

  test('tells nobody without permission in the own account either', async () => {
    const { grantId } = await givenGrant(kms, key.keyId, admin)
    const user = await givenUser()
    const existing = await refusal(user, byId(grantId))
    expect(await refusal(user, byId(ABSENT))).toEqual(existing)
    const absentId = '00000000-0000-0000-0000-000000000000'
    const absentKey = key.arn.replace(key.keyId, absentId)
    expect(await refusal(user, byId(grantId, absentKey))).toEqual({
      ...existing,
      message: existing.message?.replace(key.keyId, absentId),
    })
  })

  test('works in every state of the key', async () => {
    const own = await givenKey(kms)
    const { token, grantId } = await givenGrant(kms, own.keyId, admin)
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: own.keyId }))
    await retire(admin, { GrantToken: token })
    expect(await isThere(grantId, own.keyId)).toBe(false)
  })

  test('refuses what does not name a grant', async () => {
    const { grantId, token } = await givenGrant(kms, key.keyId, admin)
    const alias = await givenAlias(kms, key.keyId)
    const cases: [RetireGrantCommandInput, string, string | null | undefined][] = [
      [byId(grantId, key.keyId), 'NotFoundException', `Invalid arn ${key.keyId}`],
      [
        byId(grantId, alias),
        'InvalidArnException',
        'Key Aliases are not supported for this operation.',
      ],
      [
        byId(grantId, key.arn.replace('us-east-1', 'eu-west-1')),
        'NotFoundException',
        'Invalid arn eu-west-1',
      ],
      [byId('x'), 'InvalidGrantIdException', null],
      [byId(ABSENT), 'NotFoundException', `Grant ID ${ABSENT} not found`],
      [{ GrantToken: 'x' }, 'InvalidGrantTokenException', null],
      [{ GrantToken: `${token}AAAA` }, 'InvalidGrantTokenException', null],
      [{}, 'ValidationException', undefined],
      [{ KeyId: key.arn }, 'ValidationException', undefined],
      [{ GrantId: grantId }, 'ValidationException', undefined],
      [{ GrantToken: token, KeyId: key.arn }, 'ValidationException', undefined],
    ]
    for (const [input, name, message] of cases) {
      const { message: told, ...rest } = await refusal(admin, input)
      expect([rest, message === undefined ? undefined : told]).toEqual([
        { name, status: 400 },
        message,
      ])
    }
    await retire(admin, { GrantToken: token })
    expect(await refusal(admin, { GrantToken: token })).toEqual(
      refused('NotFoundException', `Grant ID ${grantId} not found`),
    )
  })

  test('takes no token of another Region', async () => {
    const elsewhere = kmsClient({ ...admin, region: 'eu-west-1' })
    const { token } = await givenGrant(elsewhere, (await givenKey(elsewhere)).keyId, admin)
    expect(await refusal(admin, { GrantToken: token })).toEqual(
      refused('InvalidGrantTokenException', null),
    )
  })

  test('leaves a record of which grant it was, and no token', async () => {
    const { grantId, token } = await givenGrant(kms, key.keyId, admin)
    const { record } = await recorded(stack, admin, 'RetireGrant', { GrantToken: token })
    expect(record).toMatchObject({
      eventName: 'RetireGrant',
      readOnly: false,
      requestParameters: null,
      responseElements: { keyId: key.arn },
      additionalEventData: { grantId },
      resources: [{ ARN: key.arn }],
    })
    expect(JSON.stringify(record)).not.toContain(token.slice(0, 40))
    const again = await givenGrant(kms, key.keyId, admin)
    const named = await recorded(stack, admin, 'RetireGrant', byId(again.grantId))
    expect(named.record.requestParameters).toEqual({ keyId: key.arn, grantId: again.grantId })
  })
})

describe('RevokeGrant', () => {
  const revoke = (by: User, input: Partial<RevokeGrantCommandInput>) =>
    kmsClient(by).send(new RevokeGrantCommand({ KeyId: key.keyId, GrantId: ABSENT, ...input }))
  const refusal = (by: User, input: Partial<RevokeGrantCommandInput>) =>
    refusalOf(revoke(by, input))

  test('ends a grant for whoever the policies let, by id or ARN of the key', async () => {
    const user = await givenUser(allow('kms:RevokeGrant'))
    for (const KeyId of [key.keyId, key.arn]) {
      const { grantId } = await givenGrant(kms, key.keyId, admin)
      expect(await refusal(user, { KeyId, GrantId: grantId, DryRun: true })).toEqual(DRY)
      expect(await isThere(grantId)).toBe(true)
      await revoke(user, { KeyId, GrantId: grantId })
      expect(await isThere(grantId)).toBe(false)
    }
  })

  test('is not for retiring principals and grantees', async () => {
    const user = await givenUser()
    const { grantId } = await givenGrant(kms, key.keyId, user, {
      RetiringPrincipal: user.arn,
      Operations: ['Encrypt', 'RetireGrant'],
    })
    expect(await refusal(user, { GrantId: grantId })).toEqual(
      refused(
        'AccessDeniedException',
        `User: ${user.arn} is not authorized to perform: kms:RevokeGrant on resource: ${key.arn} because no identity-based policy allows the kms:RevokeGrant action`,
      ),
    )
  })

  test('is for another account where the key policy lets it', async () => {
    const shared = await givenKey(kms)
    const { grantId } = await givenGrant(kms, shared.keyId, other)
    const input = { KeyId: shared.arn, GrantId: grantId }
    expect((await refusal(other, input)).name).toBe('AccessDeniedException')
    const Statement = [admin.account, other.account].map((account) => ({
      Effect: 'Allow',
      Principal: { AWS: account },
      Action: 'kms:*',
      Resource: '*',
    }))
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
    await kms.send(new PutKeyPolicyCommand({ KeyId: shared.keyId, Policy }))
    await foreign.send(new RevokeGrantCommand(input))
    expect(await isThere(grantId, shared.keyId)).toBe(false)
  })

  test('works in every state of the key', async () => {
    const own = await givenKey(kms)
    const { grantId } = await givenGrant(kms, own.keyId, admin)
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: own.keyId }))
    await revoke(admin, { KeyId: own.keyId, GrantId: grantId })
    expect(await isThere(grantId, own.keyId)).toBe(false)
  })

  test('refuses what the key has not', async () => {
    const { grantId } = await givenGrant(kms, (await givenKey(kms)).keyId, admin)
    for (const GrantId of [ABSENT, grantId]) {
      expect(await refusal(admin, { GrantId })).toEqual(
        refused('NotFoundException', `Grant ID ${GrantId} not found`),
      )
    }
    expect(await refusal(admin, { GrantId: 'x' })).toEqual(refused('InvalidGrantIdException', null))
    expect(await refusal(admin, { KeyId: await givenAlias(kms, key.keyId) })).toEqual(
      refused('InvalidArnException', 'Key Aliases are not supported for this operation.'),
    )
  })

  test('leaves a record of which grant it was', async () => {
    const { grantId } = await givenGrant(kms, key.keyId, admin)
    const input = { KeyId: key.keyId, GrantId: grantId }
    const { record } = await recorded(stack, admin, 'RevokeGrant', input)
    expect(record).toMatchObject({
      eventName: 'RevokeGrant',
      readOnly: false,
      requestParameters: { keyId: key.keyId, grantId },
      responseElements: { keyId: key.arn },
      resources: [{ ARN: key.arn }],
    })
  })
})
