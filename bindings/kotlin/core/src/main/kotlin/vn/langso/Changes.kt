package vn.langso

import java.util.concurrent.atomic.AtomicReference
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import vn.langso.calls.Listener
import vn.langso.calls.Phone
import vn.langso.calls.Watching
import vn.langso.core.AppException
import vn.langso.core.Changed

/** What a phone tells, for as long as it is collected. */
internal fun changesOf(calls: Calls): Flow<Changed> = flow {
    val untold = Untold()
    var watching: Watching? = null
    val whenClosed = calls.onClose { untold.end() }
    try {
        // Noted inside: a cancellation on the way back would lose what is given.
        if (calls.runUnlessClosed { watching = it.watch(untold) } == null) return@flow
        emit(Changed(sync = null, receipts = false, book = false, shelf = false))
        while (true) emit(untold.take() ?: break)
    } finally {
        whenClosed.close()
        watching?.close()
    }
}

/** None = the phone is closed. */
private suspend fun <T> Calls.runUnlessClosed(call: (Phone) -> T): T? = try {
    run(call)
} catch (error: AppException.Locked) {
    if (error.why == CLOSED) null else throw error
}

/** What was told and not yet taken, as one. Told on a thread of the core, which never waits for who takes. */
private class Untold : Listener {
    private val all = AtomicReference<Changed>()
    private val wake = Channel<Unit>(Channel.CONFLATED)

    override fun changed(changed: Changed) {
        all.updateAndGet { before -> before?.and(changed) ?: changed }
        wake.trySend(Unit)
    }

    fun end() {
        wake.close()
    }

    /** Waits for something; none = there is nothing more. */
    suspend fun take(): Changed? {
        while (wake.receiveCatching().isSuccess) all.getAndSet(null)?.let { return it }
        return null
    }
}

private fun Changed.and(later: Changed) = Changed(
    sync = later.sync ?: sync,
    receipts = receipts || later.receipts,
    book = book || later.book,
    shelf = shelf || later.shelf
)
