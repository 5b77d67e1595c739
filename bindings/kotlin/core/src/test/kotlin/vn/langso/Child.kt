package vn.langso

import kotlinx.coroutines.runBlocking
import vn.langso.core.AppException

/** The package in a process of its own, that a test may kill. */
object Child {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val (deed, folder) = arguments
        runBlocking {
            try {
                LangsoPhone.open(folder).use { phone ->
                    when (deed) {
                        "state" -> say("open ${phone.phone.getState().unsent}")
                        "log" -> while (true) say("saved ${phone.log()}")
                        "sync" -> {
                            say("begins")
                            phone.syncAll()
                            // Until it is killed.
                            System.`in`.read()
                        }
                        else -> error("no deed $deed")
                    }
                }
            } catch (error: AppException.Locked) {
                say("locked ${error.why}")
            }
        }
    }

    private fun say(line: String) {
        println(line)
        System.out.flush()
    }

    /** Its one line. */
    fun run(vararg arguments: String): String = start(*arguments).let { child -> child.inputReader().readText().trim().also { child.waitFor() } }

    /** Kills it after so many lines; gives how many were heard. */
    fun killedAfter(
        lines: Int,
        vararg arguments: String,
    ): Int {
        val child = start(*arguments)
        val said = child.inputReader()
        var heard = 0
        while (heard < lines && said.readLine() != null) heard += 1
        child.destroyForcibly().waitFor()
        check(heard >= lines) { "the child ended after $heard lines" }
        return heard
    }

    private fun start(vararg arguments: String): Process {
        val java = System.getProperty("java.home") + "/bin/java"
        val library = "-Djna.library.path=" + System.getProperty("jna.library.path")
        val classes = System.getProperty("java.class.path")
        return ProcessBuilder(java, library, "-cp", classes, "vn.langso.Child", *arguments)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start()
    }
}
