package vn.langso.fake

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import vn.langso.Langso
import vn.langso.core.AppException
import vn.langso.core.SyncNow

// first screen
/** `waiting` is none while the screen loads; what a `problem` is in words is the app's. */
data class TodayState(val waiting: UInt? = null, val isSending: Boolean = false, val problem: AppException? = null)

class TodayViewModel(private val langso: Langso, private val scope: CoroutineScope) {
    private val shown = MutableStateFlow(TodayState())
    val state = shown.asStateFlow()

    init {
        scope.launch { langso.changes.collect { attempt { show() } } }
    }

    fun sendNow() = scope.launch {
        shown.update { it.copy(isSending = true, problem = null) }
        attempt { langso.sync.syncNow(SyncNow()) }
        shown.update { it.copy(isSending = false) }
    }

    private suspend fun show() {
        val waiting = langso.phone.getState().unsent
        shown.update { it.copy(waiting = waiting) }
    }

    /** Nothing is lost by an error: what was shown stays, what was saved is sent next time. */
    private suspend fun attempt(call: suspend () -> Unit) = try {
        call()
    } catch (problem: AppException) {
        shown.update { it.copy(problem = problem) }
    }
}
// end of first screen
