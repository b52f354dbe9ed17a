/** What a grant lets its grantee do, and nobody else. */
import {
  CreateAliasCommand,
  CreateGrantCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GetKeyPolicyCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  RevokeGrantCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
} from '@aws-sdk/client-kms'
import { afterAll, describe, expect, test } from 'vitest'
import type { KeyId } from '../../../shared/ids.ts'
import { KeyGrants } from '../../../shared/keys/key-grants.ts'
import {
  allow,
  decryptAs,
  deny,
  encryptAs,
  givenGrant,
  grantsOn,
  removeUser,
} from '../../support/grants.ts'
import { bytes, givenKey, kmsClient, newAliasName } from '../../support/kms.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenTenantsStack, type User } from '../../support/tenants-stack.ts'

const stack = await givenTenantsStack()
afterAll(() => stack.close())

const { admin } = stack
const kms = kmsClient(admin)
const other = await stack.tenant('444455556666')
const foreign = kmsClient(other)
let users = 0
const givenUser = (...policies: object[]) =>
  stack.user(admin.account, `user${++users}`, ...policies)
const givenStranger = (...policies: object[]) =>
  stack.user(other.account, `stranger${++users}`, ...policies)

const denied = async (attempt: Promise<unknown>) =>
  expect((await refusalOf(attempt)).name).toBe('AccessDeniedException')
const describeAs = (user: User, KeyId: string) =>
  kmsClient(user).send(new DescribeKeyCommand({ KeyId }))

/** A key whose policy names the administrator alone. */
async function givenClosedKey() {
  const key = await givenKey(kms)
  await putPolicy(key.keyId, [{ Effect: 'Allow', Principal: { AWS: admin.arn } }])
  return key
}
const putPolicy = (KeyId: string, statements: readonly object[]) =>
  kms.send(
    new PutKeyPolicyCommand({
      KeyId,
      Policy: JSON.stringify({
        Version: '2012-10-17',
        Statement: statements.map((statement) => ({
          Action: 'kms:*',
          Resource: '*',
          ...statement,
        })),
      }),
    }),
  )

describe('Within an account', () => {
  test('a grant lets its grantee do what it lists, and nothing else', async () => {
    const [user, bystander, key] = [await givenUser(), await givenUser(), await givenClosedKey()]
    await denied(encryptAs(user, key.keyId))
    await givenGrant(kms, key.keyId, user)
    const { CiphertextBlob } = await encryptAs(user, key.keyId)
    await denied(decryptAs(user, CiphertextBlob))
    await denied(describeAs(user, key.keyId))
    await denied(kmsClient(user).send(new GetKeyPolicyCommand({ KeyId: key.keyId })))
    await denied(encryptAs(bystander, key.keyId))
    const another = await givenClosedKey()
    await denied(encryptAs(user, another.keyId))
    await givenGrant(kms, key.keyId, user, { Operations: ['Decrypt', 'DescribeKey'] })
    expect(Buffer.from((await decryptAs(user, CiphertextBlob)).Plaintext ?? []).toString()).toBe(
      'hello',
    )
    expect((await describeAs(user, key.keyId)).KeyMetadata?.Arn).toBe(key.arn)
  })

  test('a grant works by every name of the key', async () => {
    const [user, key] = [await givenUser(), await givenKey(kms)]
    const AliasName = newAliasName()
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: key.keyId }))
    await givenGrant(kms, key.arn, user)
    for (const name of [key.keyId, key.arn, AliasName, key.arn.replace(/key\/.*/, AliasName)]) {
      expect((await encryptAs(user, name)).KeyId).toBe(key.arn)
    }
  })

  test('a grant that is revoked no longer works, and what was refused works once there is one', async () => {
    const [user, key] = [await givenUser(), await givenKey(kms)]
    for (let round = 0; round < 3; round++) {
      await denied(encryptAs(user, key.keyId))
      const { grantId } = await givenGrant(kms, key.keyId, user)
      await encryptAs(user, key.keyId)
      await kms.send(new RevokeGrantCommand({ KeyId: key.keyId, GrantId: grantId }))
    }
    await denied(encryptAs(user, key.keyId))
  })

  test('a denial wins over a grant, wherever it stands', async () => {
    const [user, key] = [await givenUser(deny('kms:Encrypt')), await givenKey(kms)]
    await givenGrant(kms, key.keyId, user)
    expect((await refusalOf(encryptAs(user, key.keyId))).message).toMatch(
      /with an explicit deny in an identity-based policy$/,
    )
    const named = await givenUser()
    await givenGrant(kms, key.keyId, named)
    await encryptAs(named, key.keyId)
    await putPolicy(key.keyId, [
      { Effect: 'Allow', Principal: { AWS: admin.arn } },
      { Effect: 'Deny', Principal: { AWS: named.arn } },
    ])
    expect((await refusalOf(encryptAs(named, key.keyId))).message).toMatch(
      /with an explicit deny in a resource-based policy$/,
    )
  })

  test('a grant for the account helps those of its users who have permission', async () => {
    const [able, unable] = [await givenUser(allow('kms:Encrypt')), await givenUser()]
    for (const grantee of [admin.account, `arn:aws:iam::${admin.account}:root`]) {
      const key = await givenClosedKey()
      await denied(encryptAs(able, key.keyId))
      await givenGrant(kms, key.keyId, grantee)
      await encryptAs(able, key.keyId)
      await denied(encryptAs(unable, key.keyId))
    }
  })

  test('the state of the key counts as for everybody', async () => {
    const [user, key] = [await givenUser(), await givenKey(kms)]
    await givenGrant(kms, key.keyId, user)
    await kms.send(new DisableKeyCommand({ KeyId: key.keyId }))
    expect(await refusalOf(encryptAs(user, key.keyId))).toEqual(
      refused('DisabledException', `${key.arn} is disabled.`),
    )
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: key.keyId }))
    expect(await refusalOf(encryptAs(user, key.keyId))).toEqual(
      refused('KMSInvalidStateException', `${key.arn} is pending deletion.`),
    )
  })

  test('a grant on a signing key lets its grantee sign', async () => {
    const user = await givenUser()
    const key = await givenKey(kms, { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
    await givenGrant(kms, key.keyId, user, { Operations: ['Sign'] })
    const sign = new SignCommand({
      KeyId: key.keyId,
      Message: bytes('hello'),
      SigningAlgorithm: 'ECDSA_SHA_256',
    })
    expect((await kmsClient(user).send(sign)).KeyId).toBe(key.arn)
  })

  test('a user made anew under an old name does not inherit its grants', async () => {
    const key = await givenKey(kms)
    const user = await stack.user(admin.account, 'phoenix')
    await givenGrant(kms, key.keyId, user)
    await encryptAs(user, key.keyId)
    await removeUser((await stack.call(user)).caller)
    const risen = await stack.user(admin.account, 'phoenix')
    expect(risen.arn).toBe(user.arn)
    await denied(encryptAs(risen, key.keyId))
    const [shown] = await grantsOn(kms, key.keyId)
    expect(shown?.GranteePrincipal).toMatch(/^AIDA[A-Z2-7]{16}$/)
  })
})

describe('The constraints of a grant', () => {
  const context = { team: 'payments', stage: 'prod' }
  const constrained = async (Constraints: object) => {
    const [user, key] = [await givenUser(), await givenKey(kms)]
    const Operations = ['Encrypt', 'Decrypt', 'DescribeKey'] as const
    await givenGrant(kms, key.keyId, user, { Operations: [...Operations], Constraints })
    return { user, key }
  }

  test('EncryptionContextEquals: this context and no other', async () => {
    const { user, key } = await constrained({ EncryptionContextEquals: context })
    await encryptAs(user, key.keyId, { EncryptionContext: { stage: 'prod', team: 'payments' } })
    for (const EncryptionContext of [
      {},
      { team: 'payments' },
      { ...context, more: '' },
      { ...context, stage: 'Prod' },
      { team: 'payments', Stage: 'prod' },
    ]) {
      await denied(encryptAs(user, key.keyId, { EncryptionContext }))
    }
    await describeAs(user, key.keyId)
  })

  test('EncryptionContextSubset: these pairs, and others beside them', async () => {
    const { user, key } = await constrained({ EncryptionContextSubset: { team: 'payments' } })
    await encryptAs(user, key.keyId, { EncryptionContext: { team: 'payments' } })
    const { CiphertextBlob } = await encryptAs(user, key.keyId, { EncryptionContext: context })
    await decryptAs(user, CiphertextBlob, { EncryptionContext: context })
    for (const EncryptionContext of [
      {},
      { stage: 'prod' },
      { team: 'Payments' },
      { Team: 'payments' },
    ]) {
      await denied(encryptAs(user, key.keyId, { EncryptionContext }))
    }
    await describeAs(user, key.keyId)
  })

  test('SourceArn: no service calls, so nothing is allowed', async () => {
    const SourceArn = `arn:aws:s3:us-east-1:${admin.account}:bucket/a`
    const { user, key } = await constrained({ SourceArn })
    await denied(encryptAs(user, key.keyId))
    await denied(describeAs(user, key.keyId))
  })

  test('in ReEncrypt each side is held to its own context', async () => {
    const [user, from, to] = [await givenUser(), await givenKey(kms), await givenKey(kms)]
    const EncryptionContext = { side: 'from' }
    await givenGrant(kms, from.keyId, user, {
      Operations: ['ReEncryptFrom'],
      Constraints: { EncryptionContextEquals: { side: 'from' } },
    })
    await givenGrant(kms, to.keyId, user, {
      Operations: ['ReEncryptTo'],
      Constraints: { EncryptionContextEquals: { side: 'to' } },
    })
    const { CiphertextBlob } = await encryptAs(admin, from.keyId, { EncryptionContext })
    const reEncrypt = (source: string, destination: string) =>
      kmsClient(user).send(
        new ReEncryptCommand({
          CiphertextBlob,
          SourceEncryptionContext: { side: source },
          DestinationKeyId: to.keyId,
          DestinationEncryptionContext: { side: destination },
        }),
      )
    expect((await reEncrypt('from', 'to')).KeyId).toBe(to.arn)
    await denied(reEncrypt('from', 'from'))
    await denied(reEncrypt('to', 'to'))
  })
})

describe('Across accounts', () => {
  test('a grant of the key’s account works for whom their own account lets', async () => {
    const [able, unable] = [await givenStranger(allow('kms:*')), await givenStranger()]
    const denying = await givenStranger(allow('kms:*'), deny('kms:Encrypt'))
    const key = await givenKey(kms)
    for (const user of [able, unable, denying]) await givenGrant(kms, key.keyId, user)
    await encryptAs(able, key.arn)
    await denied(encryptAs(unable, key.arn))
    await denied(encryptAs(denying, key.arn))
    await denied(encryptAs(await givenStranger(allow('kms:*')), key.arn))
  })

  test('a grant for another account helps those of its users who have permission', async () => {
    const [able, unable] = [await givenStranger(allow('kms:*')), await givenStranger()]
    const key = await givenKey(kms)
    await givenGrant(kms, key.keyId, other.account)
    await encryptAs(able, key.arn)
    await denied(encryptAs(unable, key.arn))
  })

  test('a grant that the caller’s own account made is enough', async () => {
    const key = await givenKey(kms)
    await putPolicy(key.keyId, [
      { Effect: 'Allow', Principal: { AWS: admin.account } },
      { Effect: 'Allow', Principal: { AWS: other.account }, Action: 'kms:CreateGrant' },
    ])
    const user = await givenStranger()
    await denied(encryptAs(user, key.arn))
    await givenGrant(foreign, key.arn, user)
    await encryptAs(user, key.arn)
    const [shown] = await grantsOn(kms, key.keyId)
    expect(shown?.IssuingAccount).toBe(`arn:aws:iam::${other.account}:root`)
    await putPolicy(key.keyId, [
      { Effect: 'Allow', Principal: { AWS: admin.account } },
      { Effect: 'Deny', Principal: { AWS: other.account } },
    ])
    await denied(encryptAs(user, key.arn))
  })
})

describe('A grant token', () => {
  test('is taken by all that use a key, and does not help whom it is not for', async () => {
    const [user, thief, key] = [await givenUser(), await givenUser(), await givenKey(kms)]
    const Operations = ['Encrypt', 'GenerateDataKey', 'DescribeKey'] as const
    const { token } = await givenGrant(kms, key.keyId, user, { Operations: [...Operations] })
    const GrantTokens = [token]
    await encryptAs(user, key.keyId, { GrantTokens })
    const dataKey = { KeyId: key.keyId, KeySpec: 'AES_256', GrantTokens } as const
    await kmsClient(user).send(new GenerateDataKeyCommand(dataKey))
    await kmsClient(user).send(new DescribeKeyCommand({ KeyId: key.keyId, GrantTokens }))
    await denied(encryptAs(thief, key.keyId, { GrantTokens }))
  })

  test('has the grant found at once where it was not there a moment ago', async () => {
    const [user, key] = [await givenUser(), await givenKey(kms)]
    await denied(encryptAs(user, key.keyId)) // that there is none is remembered now
    const { services, region, caller } = await stack.call(user)
    const { store, clock, grantTokens } = services
    const elsewhere = new KeyGrants({ grants: store.grants, clock, cacheMs: 5000 })
    const grant = await elsewhere.create({
      account: admin.account,
      region,
      keyId: key.keyId as KeyId,
      name: null,
      issuingAccount: admin.account,
      grantee: `${caller.account}/${caller.principalId}`,
      retiring: null,
      operations: ['Encrypt'],
      constraints: null,
    })
    await denied(encryptAs(user, key.keyId))
    await encryptAs(user, key.keyId, { GrantTokens: [await grantTokens.seal(grant)] })
  })

  test('of a grant that has ended is no error and no help', async () => {
    const [user, key] = [await givenUser(), await givenKey(kms)]
    const { token, grantId } = await givenGrant(kms, key.keyId, user)
    await kms.send(new RevokeGrantCommand({ KeyId: key.keyId, GrantId: grantId }))
    await denied(encryptAs(user, key.keyId, { GrantTokens: [token] }))
    await encryptAs(admin, key.keyId, { GrantTokens: [token] })
  })

  test('that is none of ours, altered or of another Region is refused, whoever brings it', async () => {
    const [user, key] = [await givenUser(), await givenKey(kms)]
    const { token } = await givenGrant(kms, key.keyId, user)
    const swapped = `${token.startsWith('A') ? 'B' : 'A'}${token.slice(1)}`
    const elsewhere = kmsClient({ ...admin, region: 'eu-west-1' })
    const distant = await givenGrant(elsewhere, (await givenKey(elsewhere)).keyId, user)
    for (const bad of [swapped, `${token}AAAA`, token.slice(0, -4), 'x', distant.token]) {
      for (const caller of [admin, user]) {
        const attempt = encryptAs(caller, key.keyId, { GrantTokens: [token, bad] })
        expect(await refusalOf(attempt)).toEqual(refused('InvalidGrantTokenException', null))
      }
    }
    const read = new DescribeKeyCommand({ KeyId: key.keyId, GrantTokens: ['x'] })
    expect((await kms.send(read)).KeyMetadata?.Arn).toBe(key.arn)
  })
})

describe('A grant of CreateGrant', () => {
  const child = (user: User, KeyId: string, GranteePrincipal: string, more: object) =>
    kmsClient(user).send(
      new CreateGrantCommand({ KeyId, GranteePrincipal, Operations: ['Encrypt'], ...more }),
    )

  test('lets its grantee give away what one grant gives, and no more', async () => {
    const [user, friend, key] = [await givenUser(), await givenUser(), await givenKey(kms)]
    await givenGrant(kms, key.keyId, user, { Operations: ['CreateGrant', 'Encrypt'] })
    await givenGrant(kms, key.keyId, user, { Operations: ['CreateGrant', 'Decrypt'] })
    await givenGrant(kms, key.keyId, user, { Operations: ['GenerateDataKey'] })
    const give = (...Operations: string[]) => child(user, key.keyId, friend.arn, { Operations })
    await give('Encrypt')
    await give('Decrypt')
    await give('CreateGrant', 'Decrypt')
    await encryptAs(friend, key.keyId)
    const refusal = await refusalOf(give('Encrypt', 'Decrypt'))
    expect(refusal).toEqual(
      refused(
        'AccessDeniedException',
        `User: ${user.arn} is not authorized to perform: kms:CreateGrant on resource: ${key.arn} because no identity-based policy allows the kms:CreateGrant action`,
      ),
    )
    await denied(give('GenerateDataKey'))
    await denied(give('Encrypt', 'RetireGrant'))
  })

  test('passes its constraints on, as strict or stricter', async () => {
    const [user, friend, key] = [await givenUser(), await givenUser(), await givenKey(kms)]
    const a = { a: '1' }
    const ab = { a: '1', b: '2' }
    await givenGrant(kms, key.keyId, user, {
      Operations: ['CreateGrant', 'Encrypt'],
      Constraints: { EncryptionContextSubset: a },
    })
    const give = (Constraints?: object) => child(user, key.keyId, friend.arn, { Constraints })
    for (const Constraints of [
      { EncryptionContextSubset: a },
      { EncryptionContextSubset: ab },
      { EncryptionContextEquals: a },
      { EncryptionContextEquals: ab },
    ]) {
      await give(Constraints)
    }
    for (const Constraints of [
      undefined,
      {},
      { EncryptionContextSubset: { b: '2' } },
      { EncryptionContextEquals: { a: '2' } },
      { EncryptionContextSubset: {} },
    ]) {
      await denied(give(Constraints))
    }
  })

  test('under EncryptionContextEquals passes on exactly that', async () => {
    const [user, friend, key] = [await givenUser(), await givenUser(), await givenKey(kms)]
    await givenGrant(kms, key.keyId, user, {
      Operations: ['CreateGrant', 'Encrypt'],
      Constraints: { EncryptionContextEquals: { a: '1' } },
    })
    const give = (Constraints?: object) => child(user, key.keyId, friend.arn, { Constraints })
    await give({ EncryptionContextEquals: { a: '1' } })
    await denied(give({ EncryptionContextEquals: { a: '1', b: '2' } }))
    await denied(give({ EncryptionContextSubset: { a: '1' } }))
    await denied(give())
  })

  test('does not bind who may create grants by policy', async () => {
    const user = await givenUser(allow('kms:CreateGrant'))
    const key = await givenKey(kms)
    await child(user, key.keyId, user.arn, { Operations: ['Encrypt'] })
    await encryptAs(user, key.keyId)
  })

  test('outlives its parent', async () => {
    const [user, friend, key] = [await givenUser(), await givenUser(), await givenKey(kms)]
    const Operations = ['CreateGrant', 'Encrypt'] as const
    const parent = await givenGrant(kms, key.keyId, user, { Operations: [...Operations] })
    await child(user, key.keyId, friend.arn, {})
    await kms.send(new RevokeGrantCommand({ KeyId: key.keyId, GrantId: parent.grantId }))
    await encryptAs(friend, key.keyId)
    await denied(child(user, key.keyId, friend.arn, {}))
  })
})

test('A call that policies allow does not look for grants', async () => {
  const { store } = stack.services
  const key = await givenKey(kms)
  const read = store.grants.ofGrantee
  let reads = 0
  const counting = stack.services.store.grants as { ofGrantee: typeof read }
  counting.ofGrantee = (...of) => {
    reads += 1
    return read(...of)
  }
  try {
    await kms.send(new EncryptCommand({ KeyId: key.keyId, Plaintext: bytes('x') }))
    expect(reads).toBe(0)
    const user = await givenUser()
    await denied(encryptAs(user, key.keyId))
    await denied(encryptAs(user, key.keyId))
    expect(reads).toBe(2) // once for the user, once for the account, and then from memory
  } finally {
    counting.ofGrantee = read
  }
})
