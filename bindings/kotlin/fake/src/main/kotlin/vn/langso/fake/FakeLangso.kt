package vn.langso.fake

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableSharedFlow
import vn.langso.Langso
import vn.langso.core.Changed
import java.util.concurrent.CopyOnWriteArrayList

/**
 * A phone for tests of screens: answers what it is given to answer and notes what it was asked.
 *
 *     val langso = FakeLangso()
 *     langso.today.onGetDay = { aDay }
 */
class FakeLangso :
    FakeFeatures(),
    Langso {
    override val self get() = this

    /** Every call so far: its name and what it was given. */
    val calls: List<Pair<String, Any?>> get() = noted

    /** Whether it was closed. */
    var isClosed = false
        private set

    private val noted = CopyOnWriteArrayList<Pair<String, Any?>>()
    private val said = MutableSharedFlow<Changed>(extraBufferCapacity = 64)

    override val changes: Flow<Changed> get() = said

    /** Says to those who listen that something has changed. */
    fun say(changed: Changed) {
        said.tryEmit(changed)
    }

    override fun close() {
        isClosed = true
    }

    internal fun note(
        name: String,
        input: Any?,
    ) {
        noted += name to input
    }

    internal fun unanswered(name: String): Nothing = throw IllegalStateException("$name was called and has no answer")
}
