package vn.langso.fake

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import vn.langso.core.AppException
import vn.langso.core.Day
import vn.langso.core.DeviceId
import vn.langso.core.PhoneState
import vn.langso.core.SyncNow
import vn.langso.core.SyncReport

/** The guide's first screen, before a fake phone. */
class FirstScreenTest {
    private val langso = FakeLangso()

    @Test
    fun `it loads, and shows again what has changed`() = test { model ->
        assertEquals(TodayState(), model.state.value)
        langso.phone.onGetState = { stateWith(unsent = 3u) }
        model.state.first { it.waiting == 3u }
        langso.phone.onGetState = { stateWith(unsent = 4u) }
        langso.say()
        model.state.first { it.waiting == 4u }
    }

    @Test
    fun `it sends, and says so meanwhile`() = test { model ->
        val reply = CompletableDeferred<SyncReport>()
        langso.sync.onSyncNow = { reply.await() }
        model.sendNow()
        model.state.first { it.isSending }
        reply.complete(SyncReport(bytesUp = 1u, bytesDown = 1u, requests = 1u, waiting = 0u, isDone = true))
        model.state.first { !it.isSending }
        assertNull(model.state.value.problem)
        assertTrue("sync.syncNow" to SyncNow() in langso.calls, "${langso.calls}")
    }

    @Test
    fun `a problem is said, what was shown stays, and the next try takes it back`() = test { model ->
        model.state.first { it.waiting == 0u }
        langso.sync.onSyncNow = { throw AppException.Offline("hub_unreachable") }
        model.sendNow().join()
        val shown = model.state.value
        assertEquals("hub_unreachable", (shown.problem as AppException.Offline).why)
        assertEquals(0u to false, shown.waiting to shown.isSending)
        langso.sync.onSyncNow = { SyncReport(bytesUp = 1u, bytesDown = 1u, requests = 1u, waiting = 0u, isDone = true) }
        model.sendNow().join()
        assertNull(model.state.value.problem)
    }

    private fun test(test: suspend CoroutineScope.(TodayViewModel) -> Unit) = runBlocking {
        langso.phone.onGetState = { stateWith(unsent = 0u) }
        coroutineScope {
            test(TodayViewModel(langso, this))
            coroutineContext.cancelChildren()
        }
    }

    private fun stateWith(unsent: UInt) = PhoneState(
        device = DeviceId("0".repeat(13)),
        owner = null,
        unsent = unsent,
        isClockSure = true,
        today = Day("2026-11-27"),
        damage = null,
        isStorageLow = false,
        isReadOnly = false
    )
}
