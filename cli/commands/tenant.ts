import type { Command } from 'commander'
import { runs, verb } from '../command.ts'
import { readyToSave, saveMade } from '../connection/save-credentials.ts'
import { wholeNumber } from '../input/numbers.ts'
import { confirm } from '../input/terminal.ts'
import { cellText, details, table } from '../output/view.ts'
import type { Session } from '../session.ts'
import { breakGlassVerb } from './break-glass.ts'

interface Tenant {
  readonly AccountId: string
  readonly Name: string
  readonly Kind: 'team' | 'operator'
  readonly Status: 'Active' | 'Suspended' | 'PendingDeletion' | 'Deleted'
  readonly CreateDate: Date
  readonly DeletionDate?: Date
  readonly Destruction?: { readonly Statement: string; readonly Signature: string }
}

interface TenantAnswer {
  readonly Tenant: Tenant
}

/** `keyhold tenant …` */
export function tenantVerbs(parent: Command): void {
  create(parent)
  list(parent)
  show(parent)
  suspend(parent)
  resume(parent)
  remove(parent)
  cancelDeletion(parent)
  quotas(parent)
  setQuota(parent)
  signingKey(parent)
  breakGlassVerb(parent)
}

const tenantDetails = (tenant: Tenant) =>
  details({
    'Account id': tenant.AccountId,
    Name: tenant.Name,
    Kind: tenant.Kind,
    Status: tenant.Status,
    Created: tenant.CreateDate,
    'To be deleted': tenant.DeletionDate,
    Destroyed: tenant.Destruction?.Statement,
    'Signature (Ed25519)': tenant.Destruction?.Signature,
  })

interface CreateOptions {
  readonly accountId?: string
  readonly administrator?: string
  readonly saveProfile?: string
}

interface Created extends TenantAnswer {
  readonly Administrator: {
    readonly Arn: string
    readonly AccessKeyId: string
    readonly SecretAccessKey: string
  }
}

function create(parent: Command): void {
  const command = verb(parent, 'create <name>', {
    about: 'Create a tenant with an administrator, whose secret is shown only now',
    examples: ['tenant create payments --save-profile payments'],
  })
    .option('--account-id <id>', 'its account id, twelve digits; made at random without')
    .option('--administrator <user-name>', 'how its administrator is called')
    .option('--save-profile <name>', 'write the access key into this profile, and show no secret')
  runs<CreateOptions>(command, async (session, options, Name) => {
    await readyToSave(session, options.saveProfile)
    const answer = await session.keyhold<Created>('CreateTenant', {
      Name,
      AccountId: options.accountId,
      AdministratorName: options.administrator,
    })
    const { Tenant, Administrator } = answer
    const { SecretAccessKey, ...shown } = Administrator
    const view = [tenantDetails(Tenant), administratorDetails(Administrator)]
    if (options.saveProfile === undefined) return { json: answer, view }
    const credentials = { accessKeyId: shown.AccessKeyId, secretAccessKey: SecretAccessKey }
    const path = saveMade(session, options.saveProfile, credentials)
    return {
      json: { Tenant, Administrator: shown, Profile: options.saveProfile },
      view: [
        tenantDetails(Tenant),
        administratorDetails(shown),
        `The access key is in the profile ${options.saveProfile} in ${path}.`,
      ],
    }
  })
}

const administratorDetails = (
  administrator: Omit<Created['Administrator'], 'SecretAccessKey'> & {
    readonly SecretAccessKey?: string
  },
) =>
  details({
    Administrator: administrator.Arn,
    'Access key id': administrator.AccessKeyId,
    'Secret access key': administrator.SecretAccessKey,
  })

function list(parent: Command): void {
  runs(verb(parent, 'list', { about: 'List all tenants' }), async (session) => {
    const Tenants = await session.list<Tenant>('ListTenants', 'Tenants')
    const columns = {
      'Account id': (tenant: Tenant) => tenant.AccountId,
      Name: (tenant: Tenant) => tenant.Name,
      Kind: (tenant: Tenant) => tenant.Kind,
      Status: (tenant: Tenant) => tenant.Status,
      Created: (tenant: Tenant) => tenant.CreateDate,
      'To be deleted': (tenant: Tenant) => tenant.DeletionDate,
    }
    return { json: { Tenants }, view: table(Tenants, columns, 'There are no tenants.') }
  })
}

const describe = (session: Session, AccountId: string): Promise<TenantAnswer> =>
  session.keyhold<TenantAnswer>('DescribeTenant', { AccountId })

function show(parent: Command): void {
  const command = verb(parent, 'show <account-id>', {
    about: 'Show a tenant, and of a deleted one the signed statement of what was destroyed',
  })
  runs(command, async (session, _options, account = '') => {
    const answer = await describe(session, account)
    return { json: answer, view: tenantDetails(answer.Tenant) }
  })
}

function suspend(parent: Command): void {
  const command = verb(parent, 'suspend <account-id>', {
    about: 'Refuse all calls of a tenant, until it is resumed',
  })
  runs(command, async (session, _options, AccountId = '') => {
    const { Tenant } = await describe(session, AccountId)
    await confirm(`Refuse all calls of ${nameOf(Tenant)}?`, session.flags)
    const answer = await session.keyhold<TenantAnswer>('SuspendTenant', { AccountId })
    return { json: answer, view: `The tenant ${AccountId} is suspended.` }
  })
}

const nameOf = ({ Name, AccountId }: Tenant): string => `the tenant ${Name} (${AccountId})`

function resume(parent: Command): void {
  const command = verb(parent, 'resume <account-id>', { about: 'Serve a suspended tenant again' })
  runs(command, async (session, _options, AccountId) => {
    const answer = await session.keyhold<TenantAnswer>('ResumeTenant', { AccountId })
    return { json: answer, view: `The tenant ${AccountId} is active.` }
  })
}

function remove(parent: Command): void {
  const command = verb(parent, 'delete <account-id>', {
    about: 'Suspend a tenant, and destroy all that it has after a waiting period',
    examples: ['tenant delete 111122223333 --days 30'],
  }).option('--days <count>', 'the waiting period', wholeNumber(7, 30), 30)
  runs<{ readonly days: number }>(command, async (session, { days }, AccountId = '') => {
    const { Tenant } = await describe(session, AccountId)
    const question = `Suspend ${nameOf(Tenant)} now and destroy all that it has in ${days} days?`
    await confirm(question, session.flags)
    const input = { AccountId, PendingWindowInDays: days }
    const answer = await session.keyhold<TenantAnswer>('DeleteTenant', input)
    const when = cellText(answer.Tenant.DeletionDate)
    return { json: answer, view: `The tenant ${AccountId} is suspended, to be deleted on ${when}.` }
  })
}

function cancelDeletion(parent: Command): void {
  const command = verb(parent, 'cancel-deletion <account-id>', {
    about: 'Keep a tenant that was to be deleted; it stays suspended',
  })
  runs(command, async (session, _options, AccountId) => {
    const answer = await session.keyhold<TenantAnswer>('CancelTenantDeletion', { AccountId })
    return { json: answer, view: `The tenant ${AccountId} stays. Resume it to serve it.` }
  })
}

function signingKey(parent: Command): void {
  const command = verb(parent, 'signing-key', {
    about: 'Show the public key that verifies statements of what was destroyed',
    examples: ['tenant signing-key > keyhold.pem'],
  })
  runs(command, async (session) => {
    const answer = await session.keyhold<{ readonly PublicKey: string }>('GetSigningKey')
    return { json: answer, view: answer.PublicKey.trimEnd() }
  })
}

interface Quota {
  readonly QuotaName: string
  readonly Value?: number
  readonly Adjusted: boolean
}

const rateOf = ({ Value }: Quota): string => (Value === undefined ? 'not limited' : `${Value}/s`)

function quotas(parent: Command): void {
  const command = verb(parent, 'quotas <account-id>', {
    about: 'List how many requests a second a tenant may make in the Region',
  })
  runs(command, async (session, _options, AccountId) => {
    const answer = await session.keyhold<{ readonly Quotas: readonly Quota[] }>(
      'ListTenantQuotas',
      { AccountId },
    )
    const columns = {
      Quota: (quota: Quota) => quota.QuotaName,
      Requests: rateOf,
      Set: (quota: Quota) => (quota.Adjusted ? 'yes' : ''),
    }
    return { json: answer, view: table(answer.Quotas, columns, 'There are no quotas.') }
  })
}

const MAX_RATE = 1_000_000

function setQuota(parent: Command): void {
  const command = verb(parent, 'set-quota <account-id> <quota>', {
    about: 'Set how many requests a second a tenant may make in each Region, or its default again',
    examples: ['tenant set-quota 111122223333 kms:CreateKey --rate 20'],
  }).option('--rate <count>', 'requests a second; the default without', wholeNumber(0, MAX_RATE))
  runs<{ readonly rate?: number }>(command, async (session, { rate }, AccountId, QuotaName) => {
    const input = { AccountId, QuotaName, Value: rate }
    const answer = await session.keyhold<{ readonly Quota: Quota }>('PutTenantQuota', input)
    return {
      json: answer,
      view: `${QuotaName} of the tenant ${AccountId}: ${rateOf(answer.Quota)}.`,
    }
  })
}
