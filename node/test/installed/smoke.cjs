// The installed package, in CommonJS.

const { Bank, CbpiiError } = require('cbpii')
const { PERSONAS } = require('cbpii/testing')

const [bank] = Bank.fromIban(PERSONAS.CLAIRE, 'sandbox')
module.exports = [bank.id, CbpiiError.of('internal', 'A sentence.') instanceof Error]
