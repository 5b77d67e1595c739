package vn.langso

import java.io.File
import java.lang.management.ManagementFactory
import vn.langso.calls.FfiConverterTypeListener

/** What this process holds. */
data class Held(
    /** Of everything, the core's included. */
    val residentKb: Long,
    /** Of objects of the JVM, after a collection. */
    val heapBytes: Long,
    val threads: Int,
    val files: Int,
    val listeners: Int
) {
    companion object {
        fun now(): Held {
            // Cleaners run after a collection; what they let go of is gone after the next.
            repeat(3) { System.gc() }
            return Held(
                residentKb = status("VmRSS"),
                heapBytes = ManagementFactory.getMemoryMXBean().heapMemoryUsage.used,
                threads = threads(),
                files = File("/proc/self/fd").list().orEmpty().size,
                listeners = listeners()
            )
        }

        /** Threads that run, of a name or all. */
        fun threads(name: String? = null): Int =
            File("/proc/self/task").listFiles().orEmpty().count { name == null || nameOf(it) == name }

        /** Listeners that the core has not let go of. */
        fun listeners(): Int = FfiConverterTypeListener.handleMap.size

        private fun nameOf(task: File) = task.resolve("comm").takeIf { it.exists() }?.readText()?.trim()

        private fun status(line: String): Long = File("/proc/self/status").useLines { lines ->
            lines.first { it.startsWith("$line:") }.filter { it.isDigit() }.toLong()
        }
    }
}
