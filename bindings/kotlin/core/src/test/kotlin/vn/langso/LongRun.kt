package vn.langso

import kotlinx.coroutines.flow.first
import vn.langso.core.ListHouseholds

/** What an app does for weeks, in one go; says what the process holds half way and at the end. */
class LongRun(private val folder: String, private val rounds: Int) {
    suspend fun run(what: String) {
        when (what) {
            "open" -> measured { LangsoPhone.open(folder).use { it.phone.getState() } }
            "listen" -> LangsoPhone.open(folder).use { phone -> measured { phone.listen(it) } }
            "write" -> LangsoPhone.open(folder).use { phone -> measured { phone.household("Hộ $it") } }
            "scroll" -> LangsoPhone.open(folder).use { phone -> measured { phone.scroll() } }
            else -> error("no run $what")
        }
    }

    private suspend fun measured(round: suspend (Int) -> Unit) {
        for (number in 1..rounds) {
            round(number)
            // Looking takes memory too, the first time.
            if (number == rounds / 4) Held.now()
            if (number == rounds / 2 || number == rounds) say("${Held.now()}")
        }
    }

    /** One that comes and goes; every tenth hears of a save. */
    private suspend fun Langso.listen(number: Int) {
        val hears = number % 10 == 0
        changes.first { changed ->
            if (hears && !changed.book) log()
            changed.book || !hears
        }
    }

    /** From the first page to the last. */
    private suspend fun Langso.scroll() {
        var seen = 0u
        do {
            val page = households.listHouseholds(ListHouseholds(skip = seen))
            seen += page.households.size.toUInt()
        } while (page.households.isNotEmpty())
    }
}
