package io.github.cbpii

import io.github.cbpii.support.CLAIRE
import io.github.cbpii.support.Testing
import io.github.cbpii.support.bareClient
import io.github.cbpii.support.question
import io.github.cbpii.support.sealed
import io.github.cbpii.support.someTokens
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

/** What is closed or collected here is gone in the library too. */
class LeaksTest {
    /** How many objects are alive once nothing more can be collected. */
    private fun baseline(): Long {
        var last = Testing.settled { false }
        while (true) {
            val now = Testing.settled { it < last }
            if (now >= last) return last
            last = now
        }
    }

    private fun settlesAt(baseline: Long) {
        val left = Testing.settled { it <= baseline }
        assertTrue(left <= baseline, "$left objects are alive, $baseline were before")
    }

    @Test
    fun `what is closed is gone`() {
        val baseline = baseline()
        val held = List(10) { Iban(CLAIRE) }
        assertTrue(Testing.alive() >= held.size)
        held.forEach(Iban::close)
        repeat(5_000) { Iban(CLAIRE).use { iban -> Account(iban).close() } }
        repeat(2_000) { someTokens().use { tokens -> Tokens.fromJson(tokens.toJson()).close() } }
        repeat(1_000) { bareClient().use { client -> client.beginConsent().close() } }
        settlesAt(baseline)
    }

    @Test
    fun `what nobody holds is collected`() {
        val baseline = baseline()
        repeat(2_000) { Iban(CLAIRE) }
        settlesAt(baseline)
    }

    @Test
    fun `calls leave nothing behind, whatever becomes of them`() = runBlocking {
        val baseline = baseline()
        bareClient().use { client ->
            someTokens().use { tokens ->
                repeat(500) { client.confirmFunds(tokens, question()) }
                SessionPool(client, sealed()).keep("claire", tokens).use { session ->
                    repeat(500) { session.confirmFunds(question()) }
                }
            }
        }
        val failing = bareClient(transport = { throw java.io.IOException() })
        repeat(200) { assertFailsWith<CbpiiException.Network> { failing.confirmFunds(someTokens(), question()) } }
        failing.close()
        repeat(100) {
            val begun = CompletableDeferred<Unit>()
            val client = bareClient(transport = { begun.complete(Unit); awaitCancellation() })
            val check = launch(Dispatchers.Default) { client.confirmFunds(someTokens(), question()) }
            begun.await()
            check.cancelAndJoin()
            client.close()
        }
        settlesAt(baseline)
        // The handles of what is waited for and of what was lent are given back as well.
        Testing.settled { uniffiForeignFutureHandleCount() == 0 }
        assertEquals(0, uniffiForeignFutureHandleCount())
    }
}
