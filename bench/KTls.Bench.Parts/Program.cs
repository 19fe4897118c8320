using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace KTls.Bench.Parts;

internal static class Program
{
    public static void Main(string[] arguments)
    {
        // In this process: BenchmarkDotNet would otherwise build a project of its own around each run.
        IConfig config = ManualConfig.Create(DefaultConfig.Instance)
            .AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance))
            .AddDiagnoser(MemoryDiagnoser.Default)
            .WithArtifactsPath("artifacts/bench");
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(arguments.Length == 0 ? ["--filter", "*"] : arguments, config);
    }
}
