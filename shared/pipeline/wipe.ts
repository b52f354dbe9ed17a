/**
 * Overwrites the byte strings that are members of a request or an answer, once they are no longer
 * needed. Members of members are left: no operation keeps secrets there.
 */
export function wipeMembers(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const member of Object.values(value)) {
    if (member instanceof Uint8Array) member.fill(0)
  }
}
