using System.Diagnostics;

namespace KTls.Bench;

/// <summary>This program once more, or another, as an end of what is measured: its processor time is not ours. Commands and answers are lines.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;

    /// <summary>This program once more.</summary>
    public ChildProcess(Role role, params ReadOnlySpan<string> arguments)
        : this(Start(role, [.. ThisProgram, .. arguments]))
    {
    }

    private ChildProcess(Process process) => _process = process;

    /// <summary>What starts this program.</summary>
    public static IReadOnlyList<string> ThisProgram { get; } = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet"
        ? [Environment.ProcessPath!, "exec", typeof(ChildProcess).Assembly.Location]
        : [Environment.ProcessPath!];

    public static ChildProcess Of(Role role, string program, params ReadOnlySpan<string> arguments) => new(Start(role, [program, .. arguments]));

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

    private static Process Start(Role role, string[] command)
    {
        command = [.. Pinning.PrefixOf(role), .. command];
        return Process.Start(new ProcessStartInfo(command[0], command.AsSpan(1).ToArray()) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
    }
}

/// <summary>Which end of what is measured a process is.</summary>
internal enum Role
{
    /// <summary>The one that the question is about: most often the server, or the sender.</summary>
    Measured,

    /// <summary>The other one.</summary>
    Peer,
}
