using System.Diagnostics;

namespace KTls.Bench;

/// <summary>
/// <c>--pin MEASURED,PEER</c>: processors for the measured end and for the other one. A process keeps what it was started with, so
/// this program starts itself once more by taskset, from which its children have the same; those that are peers get theirs.
/// </summary>
internal static class Pinning
{
    public const string Option = "pin";

    // What the second start is told by: the processors of the peers.
    private const string PeerVariable = "KTLS_BENCH_PEER_PROCESSORS";

    private static readonly string? Peers = Environment.GetEnvironmentVariable(PeerVariable);

    /// <summary>What a child's command line begins with.</summary>
    public static string[] PrefixOf(Role role) => role == Role.Peer && Peers is not null ? ["taskset", "-c", Peers] : [];

    /// <summary>Does all of it in a process of its own that is pinned, if that is asked for and has not been done.</summary>
    /// <returns>The exit code; null: nothing was done.</returns>
    /// <exception cref="UsageException">These are no processors.</exception>
    public static int? RunPinned(string[] arguments)
    {
        int at = Array.IndexOf(arguments, $"--{Option}");
        if (at < 0 || at + 1 == arguments.Length || Peers is not null)
        {
            return null;
        }

        if (arguments[at + 1].Split(',') is not [string measured, string peers] || !IsProcessors(measured) || !IsProcessors(peers))
        {
            throw new UsageException($"--{Option} wants two processors, or ranges of them, as in 2,3 or 0-3,4-7, that this machine has; not '{arguments[at + 1]}'.");
        }

        var start = new ProcessStartInfo("taskset", ["-c", measured, .. ChildProcess.ThisProgram, .. arguments]);
        start.Environment[PeerVariable] = peers;
        using Process process = Process.Start(start)!;
        process.WaitForExit();
        return process.ExitCode;
    }

    private static bool IsProcessors(string text)
    {
        using var test = Process.Start(new ProcessStartInfo("taskset", ["-c", text, "true"]) { RedirectStandardError = true })!;
        test.WaitForExit();
        return test.ExitCode == 0;
    }
}
