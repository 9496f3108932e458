import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * What the measured programs share: the works and how they are measured. One measurement in a process of its own, told as a
 * line of JSON:
 *
 * <pre>
 * PROGRAM kept-alive N      N calls on one kept-alive connection
 * PROGRAM together T N      T threads with N calls each
 * PROGRAM new-connection N  N calls, each on a new connection
 * PROGRAM once              one call, then the end
 * </pre>
 *
 * Two calls of each thread (or BENCH_REHEARSALS) come before the clock starts, except for {@code once}.
 */
final class Works {
    private Works() {}

    /** One funds check that must be answered by yes. */
    interface Call {
        void make() throws Exception;
    }

    /** Whose calls are measured. Without {@code keeps}, each call takes a new connection. */
    interface Side {
        Call open(Config config, boolean keeps) throws Exception;
    }

    static void run(Side side, String[] words) throws Exception {
        String work = words.length > 0 ? words[0] : "";
        Call call = side.open(Config.read(), !work.equals("new-connection"));
        String rehearsals = System.getenv().getOrDefault("BENCH_REHEARSALS", "2");
        switch (work) {
            case "kept-alive", "new-connection" -> measure(call, 1, Integer.parseInt(rehearsals), Integer.parseInt(words[1]));
            case "together" ->
                measure(call, Integer.parseInt(words[1]), Integer.parseInt(rehearsals), Integer.parseInt(words[2]));
            case "once" -> {
                call.make();
                System.out.println("{\"calls\":1}");
            }
            default -> throw new IllegalArgumentException("there is no work " + work);
        }
        // What is left are threads of the library.
        System.exit(0);
    }

    private static void measure(Call call, int threads, int rehearsals, int calls) throws Exception {
        ExecutorService workers = Executors.newFixedThreadPool(threads);
        // Wall and CPU time; the last thread that gets ready starts the clock.
        long[] started = new long[2];
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        CyclicBarrier ready = new CyclicBarrier(threads, () -> {
            started[1] = system.getProcessCpuTime();
            started[0] = System.nanoTime();
        });
        Callable<long[]> work = () -> {
            for (int made = 0; made < rehearsals; made++) {
                call.make();
            }
            ready.await();
            return timed(call, calls);
        };
        List<Future<long[]>> running = new ArrayList<>();
        for (int thread = 0; thread < threads; thread++) {
            running.add(workers.submit(work));
        }
        long[] times = new long[threads * calls];
        for (int thread = 0; thread < threads; thread++) {
            System.arraycopy(running.get(thread).get(), 0, times, thread * calls, calls);
        }
        double wall = (System.nanoTime() - started[0]) / 1e9;
        double cpu = (system.getProcessCpuTime() - started[1]) / 1e9;
        Arrays.sort(times);
        System.out.printf(
                Locale.ROOT,
                "{\"calls\":%d,\"wall_seconds\":%.9f,\"cpu_seconds\":%.9f,\"p50_seconds\":%.9f,\"p99_seconds\":%.9f,\"memory_peak\":%d}%n",
                times.length,
                wall,
                cpu,
                times[times.length * 50 / 100] / 1e9,
                times[times.length * 99 / 100] / 1e9,
                peakMemory());
    }

    private static long[] timed(Call call, int calls) throws Exception {
        long[] times = new long[calls];
        for (int made = 0; made < calls; made++) {
            long started = System.nanoTime();
            call.make();
            times[made] = System.nanoTime() - started;
        }
        return times;
    }

    /** The largest resident size so far, in KiB. */
    private static long peakMemory() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        return 0;
    }
}
