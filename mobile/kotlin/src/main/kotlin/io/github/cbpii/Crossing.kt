package io.github.cbpii

import com.sun.jna.Callback
import com.sun.jna.CallbackThreadInitializer
import com.sun.jna.Memory
import com.sun.jna.Native
import com.sun.jna.Pointer

// What the generated code calls since bindgen/kotlin.patch, which says why.

/** Has a call into the library tell in a piece of memory how it went. */
internal inline fun <T> withStatus(call: (Pointer) -> T): T = statusesOfThread.get()!!.lend(call)

internal val statusesOfThread: ThreadLocal<Statuses> = object : ThreadLocal<Statuses>() {
    override fun initialValue() = Statuses()
}

/** One status for each of the calls that a thread is in: what the library calls here may call the library. */
internal class Statuses {
    private val levels = ArrayList<Memory>()
    private var depth = 0

    internal inline fun <T> lend(call: (Pointer) -> T): T =
        try {
            call(enter())
        } finally {
            leave()
        }

    internal fun enter(): Pointer {
        val level = depth++
        if (level == levels.size) levels.add(Memory(SIZE))
        return levels[level].apply { clear() }
    }

    internal fun leave() {
        depth--
    }

    internal companion object {
        private const val SIZE = 32L
        private const val BUFFER = 8L

        /** The whole of one that is not success. */
        fun read(status: Pointer) = UniffiRustCallStatus().apply {
            code = status.getByte(0)
            error_buf.readFrom(status.share(BUFFER))
        }
    }
}

/** Memory of the library, for what is passed to it. */
internal object Room {
    init {
        Native.register(Room::class.java, findLibraryName("cbpii"))
    }

    @JvmStatic
    external fun cbpii_mobile_room(size: Long): Pointer?

    internal fun buffer(size: ULong): RustBuffer.ByValue = RustBuffer.create(size, size, cbpii_mobile_room(size.toLong()))
}

/** Has threads of the library that called back stay known to the JVM until they end. */
internal fun Callback.onKeptThreads() {
    Native.setCallbackThreadInitializer(this, CallbackThreadInitializer(true, false, "cbpii"))
}
