@file:JvmName("Blocking")

package io.github.cbpii

import kotlinx.coroutines.runBlocking
import kotlin.time.Instant

// For Java, and for threads that may wait. Interrupting the thread ends the wait for the network at once.

/** [Client.completeConsent], waiting. */
@JvmName("completeConsent")
public fun Client.completeConsentBlocking(pending: PendingConsent, callbackUrl: String): Tokens =
    runBlocking { completeConsent(pending, callbackUrl) }

/** [Client.exchangeCode], waiting. */
@JvmName("exchangeCode")
public fun Client.exchangeCodeBlocking(pending: PendingConsent, code: AuthorizationCode): Tokens =
    runBlocking { exchangeCode(pending, code) }

/** [Client.refresh], waiting. */
@JvmName("refresh")
public fun Client.refreshBlocking(tokens: Tokens): Tokens = runBlocking { refresh(tokens) }

/** [Client.confirmFunds], waiting. */
@JvmName("confirmFunds")
public fun Client.confirmFundsBlocking(tokens: Tokens, request: FundsRequest): FundsConfirmation =
    runBlocking { confirmFunds(tokens, request) }

/** [Client.warmUp], waiting. */
@JvmName("warmUp")
public fun Client.warmUpBlocking(connections: Int): Int = runBlocking { warmUp(connections) }

/** [SessionPool.keep], waiting. */
@JvmName("keep")
public fun SessionPool.keepBlocking(id: String, tokens: Tokens): Session = runBlocking { keep(id, tokens) }

/** [SessionPool.open], waiting. */
@JvmName("open")
public fun SessionPool.openBlocking(id: String): Session = runBlocking { open(id) }

/** [SessionPool.forget], waiting. */
@JvmName("forget")
public fun SessionPool.forgetBlocking(id: String): Boolean = runBlocking { forget(id) }

/** [Session.confirmFunds], waiting. */
@JvmName("confirmFunds")
public fun Session.confirmFundsBlocking(request: FundsRequest): FundsConfirmation = runBlocking { confirmFunds(request) }

/** [Session.reload], waiting. */
@JvmName("reload")
public fun Session.reloadBlocking(): ConsentStatus = runBlocking { reload() }

/** [SealedStore.renewalsDue], waiting. */
@JvmName("renewalsDue")
public fun SealedStore.renewalsDueBlocking(before: Instant): List<RenewalDue> = runBlocking { renewalsDue(before) }

/** How long the call took, in milliseconds. */
@JvmName("durationMillis")
public fun FundsConfirmation.durationMillis(): Long = duration.inWholeMilliseconds

/** How long the exchange took, in milliseconds. */
@JvmName("durationMillis")
public fun Event.durationMillis(): Long = duration.inWholeMilliseconds
