package io.github.cbpii

import com.sun.jna.Callback
import com.sun.jna.CallbackThreadInitializer
import com.sun.jna.Memory
import com.sun.jna.Native
import com.sun.jna.Pointer

// What the generated code calls since bindgen/kotlin.patch, which says why.

/** Where a call into the library tells how it went: memory of the thread, which says success until a call fails. */
internal object Status {
    private const val SIZE = 32L
    private const val BUFFER = 8L

    private val ofThread = object : ThreadLocal<Memory>() {
        override fun initialValue() = Memory(SIZE).apply { clear() }
    }

    internal fun ofThread(): Memory = ofThread.get()!!

    /** The whole of one that is not success. It says success again, for the call around this one, if there is one. */
    internal fun taken(status: Memory): UniffiRustCallStatus = UniffiRustCallStatus().apply {
        code = status.getByte(0)
        error_buf.readFrom(status.share(BUFFER))
        status.clear()
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
