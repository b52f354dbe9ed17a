/** @param given - `kms:Decrypt`, or the name of the operation alone */
export const actionName = (given: string): string => (given.includes(':') ? given : `kms:${given}`)
