/** Credentials that exist nowhere else yet: printed once, or written into a profile. */
import { confirm } from '../input/terminal.ts'
import { Failure } from '../problem.ts'
import type { Session } from '../session.ts'
import { type Credentials, readProfile, requireProfileName, saveProfile } from './profiles.ts'

/** Before anything is made: whether it could be saved, and whether it may take the place of others. */
export async function readyToSave(session: Session, name: string | undefined): Promise<void> {
  if (name === undefined) return
  requireProfileName(name)
  const before = readProfile(name, process.env)
  if (before?.credentials === null || before === null) return
  const { accessKeyId } = before.credentials
  await confirm(
    `The profile ${name} has the access key ${accessKeyId}. Write another in its place?`,
    session.flags,
  )
}

/**
 * @returns the file that has the secret
 * @throws Failure that says which access key nobody has the secret of
 */
export function saveMade(session: Session, name: string, credentials: Credentials): string {
  const { endpoint, region } = session.connection()
  try {
    return saveProfile(name, { credentials, region, endpoint }, process.env)
  } catch (error) {
    throw new Failure(
      `${(error as Error).message} The access key ${credentials.accessKeyId} was made, but its secret is lost: delete it.`,
      { cause: error },
    )
  }
}
