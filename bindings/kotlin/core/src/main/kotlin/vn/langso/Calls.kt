package vn.langso

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.withContext
import vn.langso.calls.Cancel
import vn.langso.calls.Phone
import vn.langso.core.AppException

/** Why a call of a closed phone is refused. */
internal const val CLOSED = "closed"

/** How calls reach the core: off the caller's thread, with errors of one kind. */
internal class Calls(private val phone: Phone, dispatcher: CoroutineDispatcher) : AutoCloseable {
    // A phone does one thing at a time: more threads would only stand in line for it, and not in turn.
    private val dispatcher = dispatcher.limitedParallelism(1)
    private val closers = mutableSetOf<() -> Unit>()
    private var isClosed = false

    /** A call that blocks for a save at most. */
    suspend fun <T> run(call: (Phone) -> T): T = withContext(dispatcher) { guarded { call(open()) } }

    /** A call that waits for the hub; cancelling the coroutine ends it, and so does closing the phone. */
    suspend fun <T> wait(call: suspend (Phone, Cancel) -> T): T = withContext(dispatcher) {
        Cancel().use { cancel ->
            onClose { cancel.stop() }.use { guarded { call(open(), cancel) } }
        }
    }

    private fun Cancel.stop() {
        try {
            cancel()
        } catch (_: IllegalStateException) {
            // The call has just ended by itself.
        }
    }

    /** Calls back when the phone is closed, at once when it is; closing the handle forgets that. */
    fun onClose(closer: () -> Unit): AutoCloseable {
        val isLate = synchronized(closers) { isClosed.also { if (!it) closers += closer } }
        if (isLate) closer()
        return AutoCloseable { synchronized(closers) { closers -= closer } }
    }

    override fun close() {
        val last =
            synchronized(closers) {
                if (isClosed) return
                isClosed = true
                closers.toList().also { closers.clear() }
            }
        try {
            last.forEach { it() }
        } finally {
            phone.close()
        }
    }

    private fun open(): Phone {
        if (synchronized(closers) { isClosed }) throw AppException.Locked(CLOSED)
        return phone
    }
}

/** Errors of the crossing itself become errors of the core. */
internal inline fun <T> guarded(call: () -> T): T = try {
    call()
} catch (error: AppException) {
    throw error
} catch (cancelled: CancellationException) {
    throw cancelled
} catch (_: IllegalStateException) {
    // Closed between our look and the call.
    throw AppException.Locked(CLOSED)
} catch (error: Exception) {
    throw AppException.Unexpected(error::class.simpleName ?: "crossing")
}
