/** What a browser's session holds. It is a cookie, sealed by us: the browser can neither read nor change it. */

import type { Notice } from './notices.js'

/** A card of the issuer, debited from an account at the bank. */
export interface Card {
  /** The id its consent is kept under in the store. */
  readonly consent: string
  /** The account, in clear: the bank is asked about it. */
  readonly iban: string
}

/** A card that is being registered. */
export interface Registering {
  /** The saved PendingConsent: its `state` ties the bank's callback to this browser, its PKCE verifier is a secret. */
  readonly pending: string
  readonly iban: string
}

declare module '@fastify/secure-session' {
  interface SessionData {
    /** Who this is, to us: nothing but a random id. */
    shopper: string
    registering: Registering
    card: Card
    /** The order that was placed last. */
    order: string
    /** What to say on the next page, once. */
    notice: Notice
  }
}

/** How long a browser keeps it: as long as a consent lasts. */
export const SESSION_DAYS = 180
