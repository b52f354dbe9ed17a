/**
 * Actions that can be allowed to callers of other accounts (KMS Developer Guide, "Allowing users in
 * other accounts to use a KMS key"). All others fail for them whatever the policies say.
 */
const CROSS_ACCOUNT_ACTIONS: ReadonlySet<string> = new Set([
  'kms:creategrant',
  'kms:decapsulate',
  'kms:decrypt',
  'kms:derivesharedsecret',
  'kms:describekey',
  'kms:encapsulate',
  'kms:encrypt',
  'kms:generatedatakey',
  'kms:generatedatakeypair',
  'kms:generatedatakeypairwithoutplaintext',
  'kms:generatedatakeywithoutplaintext',
  'kms:generatemac',
  'kms:getkeyrotationstatus',
  'kms:getpublickey',
  'kms:listgrants',
  'kms:reencryptfrom',
  'kms:reencryptto',
  'kms:retiregrant',
  'kms:revokegrant',
  'kms:sign',
  'kms:verify',
  'kms:verifymac',
])

/** @param action - in lower case */
export const isCrossAccountAction = (action: string): boolean => CROSS_ACCOUNT_ACTIONS.has(action)
