package vn.langso

import java.io.File
import java.io.IOException
import kotlinx.coroutines.runBlocking
import vn.langso.core.AppException
import vn.langso.core.InviteText
import vn.langso.core.VisitId

/** What a [Child] does: the deed, the phone's folder, and what the deed asks for. */
fun main(arguments: Array<String>) = runBlocking {
    val (deed, folder) = arguments
    try {
        when (deed) {
            "state" -> LangsoPhone.open(folder).use { say("open ${it.phone.getState().isReadOnly}") }
            "log" -> LangsoPhone.open(folder).use { while (true) say("saved ${it.log()}") }
            "sync" -> LangsoPhone.open(folder).use { say("waiting ${it.syncAll().waiting}") }
            "fill" -> fill(folder, invite = arguments[2])
            "long" -> LongRun(folder, rounds = arguments[3].toInt()).run(arguments[2])
            else -> error("no deed $deed")
        }
    } catch (error: AppException) {
        say(told(error))
    }
}

fun say(line: String) {
    println(line)
    System.out.flush()
}

/** Logs visits until the disk is full, makes room, and goes on. */
private suspend fun fill(folder: String, invite: String) {
    val phone = LangsoPhone.open("$folder/phone")
    phone.enrolment.joinTeam(InviteText(invite))
    phone.syncAll()
    val filler = File(folder, "filler")
    filler.outputStream().use { file ->
        try {
            while (true) file.write(ByteArray(4096))
        } catch (_: IOException) {
            say("no room")
        }
    }
    val saved = mutableListOf<VisitId>()
    try {
        while (saved.size < 10_000) saved += phone.log()
    } catch (error: AppException) {
        say("${told(error)} after some: ${saved.isNotEmpty()}")
    }
    say("kept: ${phone.allVisits() == saved.toSet()}")
    check(filler.delete())
    saved += phone.log()
    phone.close()
    LangsoPhone.open("$folder/phone").use { say("kept with one more: ${it.allVisits() == saved.toSet()}") }
}
