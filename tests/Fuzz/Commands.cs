using System.Diagnostics;
using KTls.Fuzz.Seeds;

namespace KTls.Fuzz;

/// <summary>What the commands do.</summary>
internal static class Commands
{
    /// <returns>The exit code.</returns>
    public static int Run(CommandLine line, BlackBox box) => line.Command switch
    {
        "run" => Fuzz(line, box),
        "input" => TryInput(line),
        "corpus" => Collect(line, box),
        "keys" => MakeKeys(line),
        _ => throw new ArgumentException($"There is no command '{line.Command}'. There are: run, input, corpus, keys."),
    };

    // Each target is like a test, and the summary is like that of a test program (eng/test.sh).
    private static int Fuzz(CommandLine line, BlackBox box)
    {
        var watch = Stopwatch.StartNew();
        SelfCheck.Run(line.Seed);
        Console.WriteLine($"seed {line.Seed}, {line.Seconds} seconds\n{"target",-28} {"corpus",7} {"executions",11} {"per second",11} {"steps",6} {"most bytes",11}");
        double share = (double)line.Seconds / line.Targets.Sum(target => target.Weight);
        int failed = line.Targets.Count(target => !Fuzz(target, line.Seed, TimeSpan.FromSeconds(target.Weight * share), box));
        Console.WriteLine($"\n   KTls.Fuzz  Total: {line.Targets.Length}, Errors: 0, Failed: {failed}, Skipped: 0, Not Run: 0, Time: {watch.Elapsed.TotalSeconds:F3}s");
        return failed == 0 ? Program.Passed : Program.Failed;
    }

    private static bool Fuzz(Target target, int seed, TimeSpan time, BlackBox box)
    {
        List<byte[]> corpus = Corpus.Load(target);
        var fuzzer = new Fuzzer(target, seed, box);
        var watch = Stopwatch.StartNew();
        try
        {
            fuzzer.Try(corpus);
            fuzzer.Run(time - watch.Elapsed);
            return true;
        }
        catch (FuzzException e)
        {
            Report.Failure(target.Name, e.Input, e.Message);
            return false;
        }
        finally
        {
            Console.WriteLine(
                $"{target.Name,-28} {corpus.Count,7} {fuzzer.Executions,11} {fuzzer.Executions / watch.Elapsed.TotalSeconds,11:F0} {fuzzer.Steps,6} {fuzzer.MostAllocated,11}");
        }
    }

    private static int TryInput(CommandLine line)
    {
        byte[] input = Convert.FromHexString(line.Hex);
        Trace.IsOn = true;
        foreach (Target target in line.Targets)
        {
            try
            {
                Console.WriteLine($"{target.Name}: {Execution.Run(target, input)} bytes were allocated");
            }
            catch (FuzzException e)
            {
                Report.Failure(target.Name, e.Input, e.Message);
                return Program.Failed;
            }
        }

        return Program.Passed;
    }

    // What there is, what real handshakes and files give, and what some time of fuzzing finds; of all that only what takes a way
    // of its own, the shortest first.
    private static int Collect(CommandLine line, BlackBox box)
    {
        (string Target, byte[] Input)[] seeds = [.. HandshakeSeeds.All(), .. OtherSeeds.All(), .. CredentialSeeds.All()];
        double share = (double)line.Seconds / line.Targets.Sum(target => target.Weight);
        foreach (Target target in line.Targets)
        {
            var fuzzer = new Fuzzer(target, line.Seed, box);
            fuzzer.Try([.. Corpus.Load(target), .. seeds.Where(seed => seed.Target == target.Name).Select(seed => seed.Input)]);
            fuzzer.Run(TimeSpan.FromSeconds(target.Weight * share));
            var shortest = new Fuzzer(target, line.Seed, box);
            shortest.Try(fuzzer.Pool.OrderBy(input => input.Length));
            Corpus.Save(Path.Combine(line.Source, "Corpus"), target, shortest.Pool);
            Console.WriteLine($"{target.Name,-28} {shortest.Pool.Count,7} inputs {shortest.Pool.Sum(input => input.Length),9} bytes {shortest.Steps,6} steps");
        }

        return Program.Passed;
    }

    private static int MakeKeys(CommandLine line)
    {
        KeyFiles.Make(line.Source);
        return Program.Passed;
    }
}
