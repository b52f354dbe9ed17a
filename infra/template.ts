/** What the CloudFormation template of the deployment says, as far as it is compared or counted. */

export interface Resource {
  readonly Type: string
  readonly Properties: Readonly<Record<string, unknown>>
}

export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>
}

/** A route of one of the two APIs, with the handler that it leads to. */
export interface DeployedRoute {
  readonly method: string
  readonly path: string
  readonly handler: string
  readonly streams: boolean
}

/** CloudFormation quota, "Resources". */
export const MAX_RESOURCES = 500

type Fields = Readonly<Record<string, unknown>>

/** @returns the logical ids and resources of a type, e.g. `AWS::Lambda::Function` */
export const resourcesOf = (template: Template, type: string): readonly [string, Resource][] =>
  Object.entries(template.Resources).filter(([, resource]) => resource.Type === type)

/**
 * The routes of the HTTP API and the methods of the REST API.
 * @throws Error when one leads to no function
 */
export function deployedRoutes(template: Template): readonly DeployedRoute[] {
  return [...httpApiRoutes(template), ...restApiRoutes(template)]
}

function httpApiRoutes(template: Template): readonly DeployedRoute[] {
  return resourcesOf(template, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => {
    const [method = '', path = ''] = String(Properties.RouteKey).split(' ')
    const integration = namesIn(Properties.Target).map((name) => template.Resources[name])
    const { IntegrationUri } = (integration[0]?.Properties ?? {}) as Fields
    return { method, path, handler: handlerIn(template, IntegrationUri), streams: false }
  })
}

function restApiRoutes(template: Template): readonly DeployedRoute[] {
  return resourcesOf(template, 'AWS::ApiGateway::Method').map(([, { Properties }]) => {
    const { Uri, ResponseTransferMode } = Properties.Integration as Fields
    return {
      method: String(Properties.HttpMethod),
      path: restPath(template, Properties.ResourceId),
      handler: handlerIn(template, Uri),
      streams: ResponseTransferMode === 'STREAM',
    }
  })
}

/** A resource's path is that of its parent and its own part; the root has none. */
function restPath(template: Template, reference: unknown): string {
  const [name = ''] = namesIn(reference)
  const resource = template.Resources[name]
  if (resource?.Type !== 'AWS::ApiGateway::Resource') return ''
  const { ParentId, PathPart } = resource.Properties
  return `${restPath(template, ParentId)}/${String(PathPart)}`
}

function handlerIn(template: Template, value: unknown): string {
  for (const name of namesIn(value)) {
    const resource = template.Resources[name]
    if (resource?.Type === 'AWS::Lambda::Function') return String(resource.Properties.Handler)
  }
  throw new Error(`No function is meant by ${JSON.stringify(value)}.`)
}

/** The logical ids that a value refers to by Ref and GetAtt, however deep. */
function namesIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  const { Ref, 'Fn::GetAtt': attribute } = value as Fields
  if (typeof Ref === 'string') return [Ref]
  if (attribute !== undefined) return [String([attribute].flat()[0]).split('.')[0] ?? '']
  return Object.values(value).flatMap(namesIn)
}
