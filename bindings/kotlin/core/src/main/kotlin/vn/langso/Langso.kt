package vn.langso

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.withContext
import vn.langso.calls.Phone
import vn.langso.core.AppException
import vn.langso.core.Changed

/**
 * An open phone: the features, and word of what changes. One for each folder, held by the app, closed when it ends.
 *
 * Every call may be made from any thread, the main one too: it suspends and runs elsewhere, after the calls made before
 * it. Errors are [AppException]. A save that has begun is done, also when the coroutine that asked for it is cancelled.
 */
interface Langso :
    Features,
    AutoCloseable {
    /**
     * What has changed since it was last said, at most ten times a second. Says that something changed, never what: ask
     * again. Ends when the phone is closed.
     *
     * A first one that names nothing comes when it listens: what is asked from then on misses no change. A collector
     * that is slow gets all that happened meanwhile as one.
     */
    val changes: Flow<Changed>

    /**
     * Lets go of the folder as soon as the calls that run have ended; those that wait for the hub are stopped first, end
     * with [AppException.Offline] (`stopped`) and lose nothing. Twice is as once. Calls made later end with
     * [AppException.Locked] (`closed`).
     */
    override fun close()
}

/** A phone on this machine. One that is dropped without [close] lets go of its folder when it is collected. */
class LangsoPhone private constructor(private val calls: Calls) :
    Langso,
    Features by RealFeatures(calls) {
    override val changes: Flow<Changed> = changesOf(calls)

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
        suspend fun open(folder: String, dispatcher: CoroutineDispatcher = Dispatchers.IO): LangsoPhone {
            var opened: Phone? = null
            try {
                withContext(dispatcher) { opened = guarded { Phone.open(folder) } }
                return LangsoPhone(Calls(requireNotNull(opened), dispatcher)).also { opened = null }
            } finally {
                // Cancelled while it opened: nobody would close it.
                opened?.close()
            }
        }
    }
}
