package io.github.cbpii

import io.github.cbpii.example.FundsCheck
import io.github.cbpii.support.Sandbox
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import java.util.function.UnaryOperator
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** The library is usable from Java. */
class JavaExampleTest {
    private val sandbox = Sandbox.shared

    @BeforeEach
    fun reset() = sandbox.reset()

    private fun run(cardholder: UnaryOperator<String>): String {
        val files = listOf("qwac", "qsealc").flatMap { listOf(sandbox.file(it, "chain"), sandbox.file(it, "key")) }
        val (id, uri) = listOf("client_id", "redirect_uri").map { sandbox.issuer[it].asText() }
        return FundsCheck.check(sandbox.bank(), id, uri, files.map { it.toPath() }.toTypedArray(), cardholder)
    }

    @Test
    fun `the example finds the funds`() {
        val said = run { sandbox.approve(it) }
        assertTrue(Regex("funds available after \\d+ ms").matches(said), said)
    }

    @Test
    fun `the example hears a refusal and a failure`() {
        assertTrue(run { sandbox.approve(it, auto = "refuse") }.startsWith("ask the cardholder again: "))
        assertEquals("request.callback: ", run { "nonsense" }.substringBefore("The"))
    }
}
