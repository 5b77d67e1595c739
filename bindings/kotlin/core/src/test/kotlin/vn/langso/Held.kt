package vn.langso

import java.io.File
import java.lang.management.ManagementFactory
import vn.langso.calls.FfiConverterTypeListener

/** What a process holds. */
data class Held(
    /** Memory of everything, the core's included. */
    val residentKb: Long,
    /** Objects of the JVM, after a collection. */
    val heapKb: Long,
    val threads: Int,
    val files: Int,
    /** Those that the core has not let go of. */
    val listeners: Int
) {
    override fun toString() = listOf(residentKb, heapKb, threads, files, listeners).joinToString(" ")

    companion object {
        /** Of this process. */
        fun now(): Held = Held(
            residentKb = status("VmRSS"),
            heapKb = heapKb(),
            threads = threads(),
            files = File("/proc/self/fd").list().orEmpty().size,
            listeners = listeners()
        )

        /** As another process has said it. */
        fun of(line: String): Held {
            val (resident, heap, threads, files, listeners) = line.split(' ').map { it.toLong() }
            return Held(resident, heap, threads.toInt(), files.toInt(), listeners.toInt())
        }

        /** Threads that run, of a name or all. */
        fun threads(name: String? = null): Int =
            File("/proc/self/task").listFiles().orEmpty().count { name == null || nameOf(it) == name }

        fun listeners(): Int = FfiConverterTypeListener.handleMap.size

        /**
         * Collected until that brings no less for long: JNA's memory is let go of by a thread that needs its time, more
         * of it on a busy machine.
         */
        private fun heapKb(): Long {
            val memory = ManagementFactory.getMemoryMXBean()
            var least = Long.MAX_VALUE
            var inVain = 0
            while (inVain < 300) {
                System.gc()
                Thread.yield()
                val used = memory.heapMemoryUsage.used / 1024
                if (used < least) inVain = 0 else inVain += 1
                least = minOf(least, used)
            }
            return least
        }

        private fun nameOf(task: File) = task.resolve("comm").takeIf { it.exists() }?.readText()?.trim()

        private fun status(line: String): Long = File("/proc/self/status").useLines { lines ->
            lines.first { it.startsWith("$line:") }.filter { it.isDigit() }.toLong()
        }
    }
}
