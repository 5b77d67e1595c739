package vn.langso.bench

import kotlinx.coroutines.runBlocking
import vn.langso.Langso
import vn.langso.LangsoPhone
import vn.langso.core.FindVisits
import vn.langso.core.HamletId
import vn.langso.core.ListHouseholds
import vn.langso.core.NewService
import vn.langso.core.NewVisit

/**
 * What calls cost an app: `FOLDER HAMLET ROUNDS`, of an enrolled phone with a book. Calls are made as a screen makes them,
 * from one thread that is free meanwhile; as many of each go before, for the JVM to warm up.
 *
 * Prints the middle of each in microseconds, as one line of JSON.
 */
fun main(arguments: Array<String>) = runBlocking {
    val (folder, hamlet, rounds) = arguments
    LangsoPhone.open(folder).use { phone ->
        // Pages follow each other, as when a list is scrolled: a save between them has the list read again.
        val taken = calls(HamletId(hamlet)).mapValues { (_, call) ->
            repeat(rounds.toInt()) { call(phone) }
            List(rounds.toInt()) { nanoseconds { call(phone) } }
        }
        println(
            taken.entries.joinToString(",", "{", "}") { (name, of) ->
                "\"${name}_us\":${of.median() / 1000.0}"
            }
        )
    }
}

private fun calls(hamlet: HamletId): Map<String, suspend (Langso) -> Unit> {
    val visit = NewVisit(hamlet = hamlet, services = listOf(NewService(service = "vneid_level2", outcome = 1u)))
    return mapOf(
        "households" to { it.households.listHouseholds(ListHouseholds()) },
        "visits" to { it.visits.listVisits(FindVisits()) },
        "log" to { it.visits.logVisit(visit) }
    )
}

private inline fun nanoseconds(call: () -> Unit): Long {
    val begun = System.nanoTime()
    call()
    return System.nanoTime() - begun
}

private fun List<Long>.median() = sorted()[size / 2]
