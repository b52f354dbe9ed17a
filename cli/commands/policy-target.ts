import type { Command } from 'commander'
import { WrongUsage } from '../problem.ts'
import { type Kind, named } from './principal-verbs.ts'

/** The flags that say whose policy is meant. */
export interface TargetOptions {
  readonly user?: string
  readonly role?: string
}

export interface Target {
  readonly kind: Kind
  /** The member that names it. */
  readonly member: Readonly<Record<string, string>>
  /** `the user alice` */
  readonly text: string
}

export const targetOptions = (command: Command): Command =>
  command
    .option('--user <user-name>', 'the user whose policy it is')
    .option('--role <role-name>', 'the role whose policy it is')

/** @returns who is meant, `null` for nobody @throws WrongUsage for two */
export function targetOf({ user, role }: TargetOptions): Target | null {
  if (user !== undefined && role !== undefined) throw new WrongUsage('Give one of --user, --role.')
  if (user !== undefined) return target('User', user)
  return role === undefined ? null : target('Role', role)
}

/** @throws WrongUsage for nobody, too */
export function requiredTarget(options: TargetOptions): Target {
  const found = targetOf(options)
  if (found === null) throw new WrongUsage('Give --user or --role.')
  return found
}

const target = (kind: Kind, name: string): Target => ({
  kind,
  member: named(kind, name),
  text: `the ${kind.toLowerCase()} ${name}`,
})
