using System.Diagnostics;

namespace KTls.Bench;

/// <summary>This program once more, or another, as an end of what is measured: its processor time is not ours. Commands and answers are lines.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;

    public ChildProcess(params ReadOnlySpan<string> arguments)
        : this(Start(Environment.ProcessPath!, IsDotNet() ? ["exec", typeof(ChildProcess).Assembly.Location, .. arguments] : arguments))
    {
    }

    private ChildProcess(Process process) => _process = process;

    public static ChildProcess Of(string program, params ReadOnlySpan<string> arguments) => new(Start(program, arguments));

    public int Id => _process.Id;

    public void Tell(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
    }

    public string Answer() => _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The peer process has ended.");

    public void Dispose()
    {
        _process.StandardInput.Dispose();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static bool IsDotNet() => Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet";

    private static Process Start(string program, ReadOnlySpan<string> arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments.ToArray()) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
}
