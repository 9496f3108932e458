/** The checkout server: Fastify, what keeps it safe, and its routes. */

import { readFileSync } from 'node:fs'

import csrf from '@fastify/csrf-protection'
import formbody from '@fastify/formbody'
import helmet from '@fastify/helmet'
import secureSession from '@fastify/secure-session'
import type { SessionPool } from 'cbpii'
import Fastify, { type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify'

import type { Metrics } from './metrics.js'
import { FOLDER, show } from './pages.js'
import { Payment, type PaymentRules } from './payment.js'
import { Registration } from './registration.js'
import { addRoutes } from './routes.js'
import { SESSION_DAYS } from './session.js'

export interface CheckoutOptions {
  /** The consents, and with them the client and its bank. */
  readonly pool: SessionPool
  readonly metrics: Metrics
  readonly rules: PaymentRules
  /** How long a shopper may take at the bank, in milliseconds. */
  readonly consentValidForMs: number
  /** 32 bytes that seal the browsers' sessions; after a change the old ones, second. */
  readonly sessionKeys: Buffer[]
  /** Certificate and key; without them something in front of this server speaks TLS. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined
  /** Which proxies are believed when they name the shopper's address, as Fastify's `trustProxy`; none by default. */
  readonly trustProxy?: string | undefined
  /** Where the log goes; the standard output by default. */
  readonly log?: { write(line: string): void } | undefined
  readonly logLevel?: string | undefined
}

/** The server, ready to listen. Closing it closes the client. */
export async function checkout(options: CheckoutOptions): Promise<FastifyInstance> {
  const { pool, metrics } = options
  const app = Fastify({
    https: options.tls ?? null,
    trustProxy: options.trustProxy ?? false,
    bodyLimit: 10_000,
    logger: {
      level: options.logLevel ?? 'info',
      // Never the query: the callback's holds the code of a consent.
      serializers: { req: ({ method, url }: FastifyRequest) => ({ method, path: url.split('?', 1)[0] }) },
      ...(options.log && { stream: options.log }),
    },
  }) as unknown as FastifyInstance
  await addProtection(app, options)
  addStylesheet(app)
  addErrors(app)
  addRoutes(app, {
    pool,
    registration: new Registration(pool, metrics, options.consentValidForMs),
    payment: new Payment(pool, metrics, options.rules),
  })
  app.addHook('onClose', () => pool.client.close())
  return app
}

async function addProtection(app: FastifyInstance, { pool, sessionKeys }: CheckoutOptions): Promise<void> {
  const { authorizeUrl } = pool.client.bank
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        // A browser applies this to the redirect after a form too: registering a card leads to the bank.
        formAction: ["'self'", ...(authorizeUrl ? [new URL(authorizeUrl).origin] : [])],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    xFrameOptions: { action: 'deny' },
  })
  await app.register(formbody)
  await app.register(secureSession, {
    key: sessionKeys,
    cookieName: '__Host-session',
    expiry: SESSION_DAYS * 86_400,
    // Lax, for the bank's redirect comes from another site and must find the session.
    cookie: { path: '/', httpOnly: true, secure: true, sameSite: 'lax', maxAge: SESSION_DAYS * 86_400 },
  })
  await app.register(csrf, { sessionPlugin: '@fastify/secure-session' })
}

function addStylesheet(app: FastifyInstance): void {
  const css = readFileSync(`${FOLDER}/views/style.css`)
  app.get('/style.css', { logLevel: 'warn' }, async (_, reply) =>
    reply.type('text/css; charset=utf-8').header('cache-control', 'public, max-age=300').send(css),
  )
}

function addErrors(app: FastifyInstance): void {
  app.setNotFoundHandler(async (request, reply) =>
    show(request, reply.code(404), 'problem', { title: 'There is no such page' }),
  )
  app.setErrorHandler<FastifyError>(async (error, request, reply) => {
    const status = error.statusCode ?? 500
    request.log[status < 500 ? 'info' : 'error']({ err: error }, 'a request failed')
    if (error.code?.startsWith('FST_CSRF')) {
      return show(request, reply.code(403), 'problem', { title: 'Please try again', notice: 'form_too_old' })
    }
    return status < 500
      ? show(request, reply.code(status), 'problem', { title: 'We did not understand this' })
      : show(request, reply.code(status), 'problem', { title: 'Something went wrong', notice: 'our_fault' })
  })
}
