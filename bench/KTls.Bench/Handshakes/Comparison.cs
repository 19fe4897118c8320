namespace KTls.Bench.Handshakes;

/// <summary>Ours and SslStream's handshakes in turns, until both are warm, and then so often as is asked for.</summary>
internal static class Comparison
{
    // The JIT compiler works in the background and in stages, after calls and time: a server that has run for a while has
    // that behind it. So nothing is measured before it has been nearly idle for many repetitions; between two stages it is idle, too.
    private const int MinWarmUps = 100;
    private const int MaxWarmUps = 300;
    private const int IdleWarmUps = 40;
    private const double IdleJitShare = 0.01;

    public static async Task RunAsync(Report report, string group, HandshakeBatch batch, ITlsImplementation[] implementations, int repetitions, int count, bool withPrimitives)
    {
        using ServerPrimitives? primitives = withPrimitives ? new ServerPrimitives() : null;
        int warmUps = 0;
        Progress.Tell(report.Scenario, -1, repetitions, group);
        for (int idle = 0; (idle < IdleWarmUps || warmUps < MinWarmUps) && warmUps < MaxWarmUps; warmUps++)
        {
            bool isJitIdle = true;
            foreach (ITlsImplementation implementation in implementations)
            {
                Usage used = await batch.RunAsync(implementation);
                isJitIdle &= used.Jit < used.Cpu * IdleJitShare;
            }

            primitives?.Run(count);
            idle = isJitIdle ? idle + 1 : 0;
        }

        report.Add(group, "repetitions to warm up", string.Empty, warmUps);
        for (int i = 0; i < repetitions; i++)
        {
            Progress.Tell(report.Scenario, i, repetitions, group);

            // In turns, and each goes first in every second repetition.
            var used = new Dictionary<string, Usage>();
            foreach (ITlsImplementation implementation in i % 2 == 0 ? implementations : implementations.Reverse())
            {
                used[implementation.Name] = await batch.RunAsync(implementation);
                report.Add(group, $"{implementation.Name}, sent by the server", "bytes", batch.ServerBytes);
            }

            Add(report, group, used, primitives?.Run(count) ?? default, count);
        }
    }

    private static void Add(Report report, string group, Dictionary<string, Usage> used, Usage bare, int count)
    {
        foreach ((string name, Usage usage) in used.OrderBy(pair => pair.Key))
        {
            Add(report, group, name, usage, count);
        }

        if (used.TryGetValue("KTls", out Usage ours) && used.TryGetValue("SslStream", out Usage theirs))
        {
            report.Add(group, "handshakes per CPU second, KTls : SslStream", "ratio", theirs.Cpu / ours.Cpu);
            report.Add(group, "handshakes per second, KTls : SslStream", "ratio", theirs.Wall / ours.Wall);
        }

        if (bare != default)
        {
            report.Add(group, "bare primitives, CPU time", "µs", bare.Cpu.TotalMicroseconds / count);
            report.Add(group, "CPU time, KTls : bare primitives", "ratio", ours.Cpu / bare.Cpu);
        }
    }

    private static void Add(Report report, string group, string name, Usage used, int count)
    {
        report.Add(group, $"{name}, CPU time", "µs", used.Cpu.TotalMicroseconds / count);
        report.Add(group, $"{name}, of it in the kernel", "µs", used.Kernel.TotalMicroseconds / count);
        report.Add(group, $"{name}, of it in the JIT compiler", "µs", used.Jit.TotalMicroseconds / count);
        report.Add(group, $"{name}, handshakes per CPU second", "1/s", count / used.Cpu.TotalSeconds);
        report.Add(group, $"{name}, handshakes per second", "1/s", count / used.Wall.TotalSeconds);
        report.Add(group, $"{name}, managed memory", "bytes", (double)used.AllocatedBytes / count);
    }
}
