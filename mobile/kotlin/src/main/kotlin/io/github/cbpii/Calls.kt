package io.github.cbpii

/** A value of the library, kept outside the garbage collector's reach: [close] it, or leave that to the collector. */
public sealed class NativeObject(private val raw: AutoCloseable) : AutoCloseable {
    /** Gives the value back; secrets in it are overwritten. What is used afterwards throws [IllegalStateException]. */
    final override fun close(): Unit = raw.close()

    /** A form that may be shown: secrets and account numbers are masked. */
    override fun toString(): String =
        try {
            raw.toString()
        } catch (_: IllegalStateException) {
            "${javaClass.simpleName}(closed)"
        }
}

/** Calls into the library, whose failures become exceptions of this layer. */
internal inline fun <T> calling(block: () -> T): T =
    try {
        block()
    } catch (failure: RawFailure) {
        throw failure.toException()
    } catch (_: InternalException) {
        throw CbpiiException.of("internal", "The library met a defect of its own and gave the call up; please report it.")
    }

internal fun RawFailure.toException(): CbpiiException = when (this) {
    is RawFailure.Failed -> CbpiiException.from(facts, (thrown as? ThrownHere)?.throwable)
}

/** Something thrown on this side, on its way through the library and back. */
internal class ThrownHere(val throwable: Throwable) : Thrown {
    override fun kind(): String = throwable.javaClass.simpleName.ifEmpty { "an exception" }
}

/** Runs a part of the caller's for the library: whatever it throws becomes what the library takes. */
internal inline fun <T> serving(block: () -> T): T =
    try {
        block()
    } catch (own: CbpiiException) {
        throw SeamFailure.Own(own.code, own.facts.message, own.statedRequestSent, ThrownHere(own))
    } catch (other: Throwable) {
        throw SeamFailure.Other(ThrownHere(other))
    }
