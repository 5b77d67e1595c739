package vn.langso

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.withContext
import vn.langso.calls.Cancel
import vn.langso.calls.Phone
import vn.langso.calls.Listener
import vn.langso.core.AppException
import vn.langso.core.Changed

/**
 * An open phone: the features, and word of what changes. One for each folder, held by the app, closed when it ends.
 *
 * Every call may be made from any thread, the main one too: it suspends and runs elsewhere. Errors are [AppException].
 */
interface Langso :
    Features,
    AutoCloseable {
    /**
     * What has changed since it was last said, at most ten times a second; only the newest is kept for a collector that
     * is slow. Says that something changed, never what: ask again. Ends when the phone is closed.
     */
    val changes: Flow<Changed>

    /**
     * Lets go of the folder as soon as the calls that run have ended; a running sync is stopped first, and loses
     * nothing. Twice is as once. Calls made later end with [AppException.Locked] (`closed`).
     */
    override fun close()
}

/** A phone on this machine. */
class LangsoPhone private constructor(
    private val calls: Calls,
) : Langso,
    Features by RealFeatures(calls) {
    override val changes: Flow<Changed> =
        callbackFlow {
            val listener =
                object : Listener {
                    override fun changed(changed: Changed) {
                        trySend(changed)
                    }
                }
            val watching = calls.run { it.watch(listener) }
            val whenClosed = calls.onClose { close() }
            awaitClose {
                whenClosed.close()
                watching.close()
            }
        }.buffer(1, BufferOverflow.DROP_OLDEST)

    override fun close() = calls.close()

    companion object {
        /**
         * Opens or makes the phone in a folder of the app's own. Takes some ms, or seconds after damage.
         *
         * Errors: [AppException.Locked] while another process has the folder open (`open_elsewhere`);
         * [AppException.OutdatedApp]; [AppException.StorageFull].
         *
         * @param dispatcher where calls that block run; they are short but for the disk.
         */
        suspend fun open(
            folder: String,
            dispatcher: CoroutineDispatcher = Dispatchers.IO,
        ): LangsoPhone = withContext(dispatcher) { LangsoPhone(Calls(guarded { Phone.open(folder) }, dispatcher)) }
    }
}

/** How calls reach the core: off the caller's thread, with errors of one kind. */
internal class Calls(
    private val phone: Phone,
    private val dispatcher: CoroutineDispatcher,
) : AutoCloseable {
    private val closers = mutableSetOf<() -> Unit>()
    private var isClosed = false

    /** A call that blocks for a save at most. */
    suspend fun <T> run(call: (Phone) -> T): T = withContext(dispatcher) { guarded { call(open()) } }

    /** A call that waits for the hub; cancelling the coroutine ends it. */
    suspend fun <T> wait(call: suspend (Phone, Cancel) -> T): T =
        withContext(dispatcher) { Cancel().use { cancel -> guarded { call(open(), cancel) } } }

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
        last.forEach { it() }
        phone.syncStopSync()
        phone.close()
    }

    private fun open(): Phone {
        if (synchronized(closers) { isClosed }) throw AppException.Locked("closed")
        return phone
    }
}

/** Errors of the crossing itself become errors of the core. */
internal inline fun <T> guarded(call: () -> T): T =
    try {
        call()
    } catch (error: AppException) {
        throw error
    } catch (cancelled: CancellationException) {
        throw cancelled
    } catch (_: IllegalStateException) {
        // Closed between our look and the call.
        throw AppException.Locked("closed")
    } catch (error: Exception) {
        throw AppException.Unexpected(error::class.simpleName ?: "crossing")
    }
