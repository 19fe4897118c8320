using System.ComponentModel;
using System.Diagnostics;

namespace RekeyStress;

/// <summary>A bad network: the kernel delays, loses and reorders what goes over the loopback interface (tc-netem).</summary>
internal sealed class Netem : IDisposable
{
    private Netem()
    {
    }

    /// <summary>Begins; null when nothing is asked for.</summary>
    /// <exception cref="UserErrorException">There is no tc, or it refuses.</exception>
    public static Netem? Begin(string? arguments)
    {
        if (arguments is null)
        {
            return null;
        }

        if (Tc(["add", "dev", "lo", "root", "netem", .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)]) is { } refusal)
        {
            throw new UserErrorException($"--netem: {refusal}");
        }

        return new Netem();
    }

    public void Dispose() => Tc(["del", "dev", "lo", "root"]);

    private static string? Tc(string[] arguments)
    {
        try
        {
            using var tc = Process.Start(new ProcessStartInfo("tc", ["qdisc", .. arguments]) { RedirectStandardError = true })!;
            string errors = tc.StandardError.ReadToEnd();
            tc.WaitForExit();
            return tc.ExitCode == 0 ? null : "tc: " + errors.Trim().ReplaceLineEndings(" ");
        }
        catch (Win32Exception e)
        {
            return $"needs the program tc, of the package iproute2: {e.Message}";
        }
    }
}
