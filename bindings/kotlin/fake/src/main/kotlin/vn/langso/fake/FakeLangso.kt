package vn.langso.fake

import java.util.concurrent.CopyOnWriteArrayList
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.filterNotNull
import kotlinx.coroutines.flow.onSubscription
import kotlinx.coroutines.flow.takeWhile
import vn.langso.Langso
import vn.langso.core.AppException
import vn.langso.core.Changed

/**
 * A phone for tests of screens: answers what it is given to answer and notes what it was asked.
 *
 *     val langso = FakeLangso()
 *     langso.today.onGetDay = { aDay }
 *
 * An answer may throw any [AppException], and a call without an answer fails the test and names itself.
 */
class FakeLangso :
    FakeFeatures(),
    Langso {
    override val self get() = this

    /** Every call so far: its name, such as `visits.logVisit`, and what it was given. */
    val calls: List<Pair<String, Any?>> get() = noted

    /** Whether it was closed: calls are refused then, as those of a phone are. */
    @Volatile
    var isClosed = false
        private set

    private val noted = CopyOnWriteArrayList<Pair<String, Any?>>()

    /** None = closed. */
    private val said =
        MutableSharedFlow<Changed?>(extraBufferCapacity = 64, onBufferOverflow = BufferOverflow.DROP_OLDEST)

    override val changes: Flow<Changed> =
        said
            .onSubscription {
                emit(if (isClosed) null else Changed(null, receipts = false, book = false, shelf = false))
            }
            .takeWhile { it != null }
            .filterNotNull()

    /** Says to those who listen that something has changed; what is not said is everything. */
    fun say(changed: Changed = Changed(null, receipts = true, book = true, shelf = true)) {
        said.tryEmit(changed)
    }

    override fun close() {
        isClosed = true
        said.tryEmit(null)
    }

    internal fun note(name: String, input: Any?) {
        if (isClosed) throw AppException.Locked("closed")
        noted += name to input
    }

    internal fun unanswered(name: String): Nothing = throw IllegalStateException("$name was called and has no answer")
}
