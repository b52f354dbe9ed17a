import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { createTableRequest, TABLES } from '../../../shared/store/tables.ts'

interface TableResource {
  readonly Type: string
  readonly DeletionPolicy: string
  readonly Properties: Readonly<Record<string, unknown>>
}

const file = new URL('../../../infra/resources/tables.yml', import.meta.url)
const { Resources } = parse(readFileSync(file, 'utf8')) as {
  readonly Resources: Readonly<Record<string, TableResource>>
}
const resources = Object.values(Resources)
const prefix = '$' + '{self:custom.tablePrefix}'

test('the deployed tables are those that the store uses, and no others', () => {
  const names = resources.map(({ Properties }) => Properties.TableName)
  expect(names.sort()).toEqual(
    Object.keys(TABLES)
      .map((name) => prefix + name)
      .sort(),
  )
})

test.each(Object.entries(TABLES))(
  'the deployed table %s has the keys, indexes and protection that the store says',
  (name, definition) => {
    const resource = resources.find(({ Properties }) => Properties.TableName === prefix + name)
    expect(resource).toEqual({
      Type: 'AWS::DynamoDB::Table',
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        ...createTableRequest(prefix + name, definition),
        DeletionProtectionEnabled: true,
        SSESpecification: { SSEEnabled: true },
        PointInTimeRecoverySpecification: {
          PointInTimeRecoveryEnabled: definition.pointInTimeRecovery,
        },
        ...(definition.stream && { StreamSpecification: { StreamViewType: definition.stream } }),
      },
    })
  },
)

test('only the table of the tenant keys cannot be restored to an earlier time', () => {
  const without = Object.entries(TABLES).filter(([, table]) => !table.pointInTimeRecovery)
  expect(without.map(([name]) => name)).toEqual(['tenants'])
})
