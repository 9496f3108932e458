// Reads signed requests (a JSON list, on the standard input) with npm's http-signature and says which are valid.
//
// Answers with a JSON object of name to "valid", or to what is wrong.
'use strict'

const { createHash } = require('node:crypto')
const { readFileSync } = require('node:fs')
const httpSignature = require('http-signature')

function verdict(request) {
  const headers = {}
  for (const [name, value] of request.headers) {
    if (name.toLowerCase() in headers) return 'a header is there twice'
    headers[name.toLowerCase()] = value
  }
  const body = Buffer.from(request.body, 'base64')
  if (headers.digest !== 'SHA-256=' + createHash('sha256').update(body).digest('base64')) return 'digest'
  try {
    const parsed = httpSignature.parseRequest(
      { method: request.method, url: request.target, httpVersion: '1.1', headers },
      { authorizationHeaderName: 'signature', headers: request.required },
    )
    return httpSignature.verifySignature(parsed, request.public_key) ? 'valid' : 'signature'
  } catch (error) {
    return `${error.name}: ${error.message}`
  }
}

const requests = JSON.parse(readFileSync(0, 'utf8'))
process.stdout.write(JSON.stringify(Object.fromEntries(requests.map((request) => [request.name, verdict(request)]))))
