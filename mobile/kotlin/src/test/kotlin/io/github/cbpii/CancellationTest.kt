package io.github.cbpii

import io.github.cbpii.support.Sandbox
import io.github.cbpii.support.bareClient
import io.github.cbpii.support.question
import io.github.cbpii.support.sealed
import io.github.cbpii.support.someTokens
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicReference
import kotlin.concurrent.thread
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Instant

/** Cancelling a coroutine ends the wait for the network, at once: the calls here would last for minutes. */
@Timeout(60)
class CancellationTest {
    private val sandbox = Sandbox.shared

    @BeforeEach
    fun reset() = sandbox.reset()

    /** A client that has a lot of time, and the code of the first event that it tells of. */
    private fun patient(): Pair<Client, CompletableDeferred<String?>> {
        val told = CompletableDeferred<String?>()
        val listener = EventListener { told.complete(it.error) }
        return sandbox.client(ClientOptions(timeout = 10.minutes, retries = 0, listener = listener)) to told
    }

    @Test
    fun `a cancelled check gives its connection up`() = runBlocking {
        val (client, told) = patient()
        val tokens = sandbox.tokens()
        sandbox.fault("funds", "hold", times = null)
        val check = launch(Dispatchers.Default) { client.confirmFunds(tokens, question()) }
        sandbox.requests(waitFor = 1)
        check.cancelAndJoin()
        assertTrue(check.isCancelled)
        // The thread that waited was let go, while the bank still holds the request.
        assertEquals("cancelled", told.await())
    }

    @Test
    fun `a time-out of the coroutine is a cancellation`() = runBlocking {
        val (client, told) = patient()
        val tokens = sandbox.tokens()
        sandbox.fault("funds", "hold", times = null)
        assertFailsWith<TimeoutCancellationException> { withTimeout(300) { client.confirmFunds(tokens, question()) } }
        assertEquals("cancelled", told.await())
    }

    @Test
    fun `a time-out of the call is an error`() = runBlocking {
        val tokens = sandbox.tokens()
        sandbox.fault("funds", "hold", times = null)
        val failure = assertFailsWith<CbpiiException.Timeout> {
            sandbox.client().confirmFunds(tokens, question(), timeout = 300.milliseconds)
        }
        assertEquals("timeout.total" to RequestSent.UNKNOWN, failure.code to failure.requestSent)
    }

    @Test
    fun `a refresh goes on without the check that was cancelled`() = runBlocking {
        val (past, given) = Instant.fromEpochMilliseconds(0) to sandbox.tokens()
        val ended = someTokens(given.exposeAccessToken(), given.exposeRefreshToken(), past, past)
        val session = SessionPool(sandbox.client(), sealed()).keep("claire", ended)
        sandbox.fault("token", "hold", times = null)
        val check = launch(Dispatchers.Default) { session.confirmFunds(question()) }
        sandbox.requests(waitFor = 1)
        check.cancelAndJoin()
        sandbox.control("DELETE", "/faults")
        // It waits for the refresh that is under way, and no second one is made.
        assertTrue(session.confirmFunds(question()).available)
        assertEquals(1, sandbox.requests().count { it["endpoint"].asText() == "token" })
    }

    @Test
    fun `a transport is cancelled with the call`() = runBlocking {
        val (begun, ended) = CompletableDeferred<Unit>() to CompletableDeferred<Unit>()
        val transport = Transport {
            begun.complete(Unit)
            try {
                awaitCancellation()
            } finally {
                ended.complete(Unit)
            }
        }
        val check = launch(Dispatchers.Default) {
            bareClient(timeout = 10.minutes, transport = transport).confirmFunds(someTokens(), question())
        }
        begun.await()
        check.cancelAndJoin()
        ended.await()
    }

    @Test
    fun `a transport that hangs is given up in time, and interrupted`() = runBlocking {
        val ended = CompletableDeferred<Boolean>()
        val transport = Transport.blocking {
            try {
                CountDownLatch(1).await()
                error("nobody counts down")
            } catch (interrupted: InterruptedException) {
                ended.complete(true)
                throw interrupted
            }
        }
        val failure = assertFailsWith<CbpiiException.Timeout> {
            bareClient(timeout = 300.milliseconds, transport = transport).confirmFunds(someTokens(), question())
        }
        assertEquals("timeout.total" to RequestSent.UNKNOWN, failure.code to failure.requestSent)
        assertTrue(ended.await())
    }

    @Test
    fun `an interrupted thread gives its blocking call up`() {
        val (client, told) = patient()
        val tokens = sandbox.tokens()
        sandbox.fault("funds", "hold", times = null)
        val outcome = AtomicReference<Throwable>()
        val caller = thread {
            outcome.set(runCatching { client.confirmFundsBlocking(tokens, question()) }.exceptionOrNull())
        }
        sandbox.requests(waitFor = 1)
        caller.interrupt()
        caller.join()
        assertIs<InterruptedException>(outcome.get())
        runBlocking { assertEquals("cancelled", told.await()) }
    }

    @Test
    fun `many calls wait at the same time`() = runBlocking {
        val client = sandbox.client(ClientOptions(timeout = 1.minutes, connectTimeout = 1.minutes))
        val tokens = sandbox.tokens()
        sandbox.fault("funds", "hold", times = null)
        // More than there are threads of Dispatchers.Default on any phone.
        val checks = List(16) { async(Dispatchers.Default) { client.confirmFunds(tokens, question()).available } }
        sandbox.requests(waitFor = 16)
        sandbox.control("DELETE", "/faults")
        assertTrue(checks.all { it.await() })
    }
}
