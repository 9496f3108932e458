package io.github.cbpii

import io.github.cbpii.support.CLAIRE
import io.github.cbpii.support.bareClient
import io.github.cbpii.support.question
import io.github.cbpii.support.someTokens
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Test
import java.util.Collections
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlin.time.Clock
import kotlin.time.Instant

private val MOMENT = Instant.parse("2026-11-23T13:00:00Z")

private class DoingClock(private val work: () -> Unit) : Clock {
    override fun now(): Instant = MOMENT.also { work() }
}

/** What is particular about the way calls take between Kotlin and the library. */
class CrossingTest {
    @Test
    fun `what a call within a call comes to is not what the outer one comes to`() {
        val refusals = mutableListOf<String>()
        val clock = DoingClock {
            Iban(CLAIRE).close()
            refusals += assertFailsWith<CbpiiException> { Iban("not one") }.code
        }
        assertEquals(MOMENT, bareClient(clock = clock).beginConsent().createdAt)
        assertTrue(refusals.isNotEmpty() && refusals.all { it == "request.iban" }, refusals.toString())
    }

    @Test
    fun `threads of the library stay attached`() = runBlocking {
        val threads = Collections.synchronizedSet(linkedSetOf<Thread>())
        bareClient(clock = DoingClock { threads += Thread.currentThread() }).use { client ->
            repeat(100) { client.confirmFunds(someTokens(), question()) }
        }
        // One that is attached anew is another thread to the JVM.
        assertTrue(threads.size < 50, "${threads.size} threads made 100 calls")
        assertTrue(threads.any { it.isAlive && it.isDaemon && it.name == "cbpii" }, threads.toString())
    }

    @Test
    fun `text of every length and script arrives`() {
        for (text in listOf("", "é", "用", "\uD83D\uDE00", "x".repeat(70_000))) {
            val failure = assertFailsWith<CbpiiException> { Bank.fromJson(text) }
            assertTrue(failure.code.startsWith("configuration."), failure.code)
        }
        val named = """{"base": "bpce-17515", "environment": "sandbox", "name": "Crédit 用 ${"x".repeat(5_000)}"}"""
        assertEquals("Crédit 用 ${"x".repeat(5_000)}", Bank.fromJson(named).name)
    }
}
