/** A request as it was received, before anything of it is believed. */
export interface SignedRequest {
  /** `POST` */
  readonly method: string
  /** As received, still percent-encoded, without the query: `/bucket/a%20key`. */
  readonly path: string
  /** As received, without `?`; empty when there is none. */
  readonly query: string
  /**
   * Lower-case name → values in the order received. A character stands for one byte (ISO 8859-1),
   * as Node's HTTP parser gives them.
   */
  readonly headers: ReadonlyMap<string, readonly string[]>
}
