/**
 * The audit record, in CloudTrail's shape (CloudTrail User Guide, "CloudTrail record contents").
 * What an operation shows of its input is an allow-list that the operation declares; nothing is ever
 * redacted from a request.
 */
export type AuditRecord = CallRecord | ServiceEventRecord

/** Of a call that somebody made. */
export interface CallRecord extends RecordFields {
  readonly userIdentity: CallerIdentity
  readonly requestID: string
  readonly serviceEventDetails?: undefined
  readonly eventType: 'AwsApiCall'
}

/** Of what the service did by itself, such as the rotation of a key. */
export interface ServiceEventRecord extends RecordFields {
  readonly userIdentity: ServiceIdentity
  readonly requestID?: undefined
  readonly serviceEventDetails?: Readonly<Record<string, unknown>>
  readonly eventType: 'AwsServiceEvent'
}

export interface CallerIdentity {
  readonly type: 'IAMUser' | 'AssumedRole' | 'WebIdentityUser' | 'AWSAccount'
  readonly principalId: string
  /** Of whom an identity provider vouches for there is none, nor an account and an access key. */
  readonly arn?: string
  readonly accountId?: string
  readonly accessKeyId?: string
  /** Of a user. */
  readonly userName?: string
  /** Who vouches for a web identity: `oidc.example.com/team`. */
  readonly identityProvider?: string
  readonly sessionContext?: SessionContext
  /** The service that made the call for the caller: `s3.amazonaws.com`. */
  readonly invokedBy?: string
}

/** Of temporary credentials (CloudTrail User Guide, "CloudTrail userIdentity element"). */
export interface SessionContext {
  /** The role that the session is of. */
  readonly sessionIssuer?: {
    readonly type: 'Role'
    readonly principalId: string
    readonly arn: string
    readonly accountId: string
    readonly userName: string
  }
  readonly webIdFederationData?: {
    readonly federatedProvider: string
    readonly attributes: Readonly<Record<string, string>>
  }
  readonly attributes: {
    readonly creationDate: string
    readonly mfaAuthenticated: 'false'
  }
  readonly sourceIdentity?: string
}

interface ServiceIdentity {
  readonly type?: undefined
  readonly principalId?: undefined
  readonly arn?: undefined
  /** Of the account that what happened belongs to. */
  readonly accountId: string
  readonly accessKeyId?: undefined
  readonly userName?: undefined
  readonly sessionContext?: undefined
  readonly invokedBy: 'AWS Internal'
}

interface RecordFields {
  readonly eventVersion: '1.11'
  /** `2026-11-23T20:18:00Z` */
  readonly eventTime: string
  /** `kms.amazonaws.com` */
  readonly eventSource: string
  readonly eventName: string
  readonly awsRegion: string
  readonly sourceIPAddress: string
  readonly userAgent: string
  readonly errorCode?: string
  readonly errorMessage?: string
  readonly requestParameters: Readonly<Record<string, unknown>> | null
  readonly responseElements: Readonly<Record<string, unknown>> | null
  readonly additionalEventData?: Readonly<Record<string, unknown>>
  readonly eventID: string
  readonly readOnly: boolean
  readonly resources?: readonly {
    readonly accountId: string
    readonly type: string
    readonly ARN: string
  }[]
  readonly managementEvent: boolean
  readonly recipientAccountId: string
  /** Of a call that two accounts have a record of. */
  readonly sharedEventID?: string
  readonly eventCategory: 'Management' | 'Data'
}
