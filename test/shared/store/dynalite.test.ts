import { givenDynamoDb } from '../../support/dynamodb.ts'
import { storeContract } from './contract.ts'

storeContract('the embedded engine', givenDynamoDb)
