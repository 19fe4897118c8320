using System.Diagnostics;

namespace KTls.Fuzz;

/// <summary>
/// Runs this program once more and watches it from outside: that an input takes too long, or ends the process, shows only there.
/// </summary>
internal static class Supervisor
{
    private const string BlackBoxVariable = "KTLS_FUZZ_BLACK_BOX";

    // Far more than any input may take, on a machine that is busy with other things as well.
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan MostProcessorTime = TimeSpan.FromSeconds(10);

    /// <summary>The black box of the process that watches this one; null when none does.</summary>
    public static BlackBox? OpenBlackBox() => Environment.GetEnvironmentVariable(BlackBoxVariable) is { } path ? new BlackBox(path) : null;

    public static int Run(string[] arguments)
    {
        string path = Path.GetTempFileName();
        try
        {
            using var box = new BlackBox(path);
            var start = new ProcessStartInfo(Environment.ProcessPath!, ["exec", typeof(Supervisor).Assembly.Location, .. arguments]);
            start.Environment[BlackBoxVariable] = path;
            using Process process = Process.Start(start)!;
            bool isHanging = !Watch(process, box);
            if (isHanging)
            {
                process.Kill();
                process.WaitForExit();
            }

            if (isHanging || process.ExitCode is not (Program.Passed or Program.Failed))
            {
                (string target, byte[] input) = box.Read();
                Report.Failure(target, input, isHanging ? "The target does not come to an end." : $"The process ended with exit code {process.ExitCode}.");
                return Program.Failed;
            }

            return process.ExitCode;
        }
        finally
        {
            File.Delete(path);
        }
    }

    // False when one execution takes too long.
    private static bool Watch(Process process, BlackBox box)
    {
        long executions = -1;
        TimeSpan processorTime = default;
        var watch = Stopwatch.StartNew();
        while (!process.WaitForExit(TimeSpan.FromMilliseconds(500)))
        {
            process.Refresh();
            TimeSpan now = process.HasExited ? processorTime : process.TotalProcessorTime;
            if (box.Executions != executions)
            {
                (executions, processorTime) = (box.Executions, now);
                watch.Restart();
            }
            else if (executions > 0 && (watch.Elapsed > MostTime || now - processorTime > MostProcessorTime))
            {
                return false;
            }
        }

        return true;
    }
}
