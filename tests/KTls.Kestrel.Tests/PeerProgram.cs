using System.ComponentModel;
using System.Diagnostics;

namespace KTls.Kestrel.Tests;

/// <summary>A program that asks the site and ends.</summary>
internal static class PeerProgram
{
    /// <summary>Runs a program that has to succeed.</summary>
    /// <returns>Its output.</returns>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using Process process = Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true });
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync().WaitAsync(RunningSite.Patience);
        await process.WaitForExitAsync().WaitAsync(RunningSite.Patience);
        Assert.True(process.ExitCode == 0, await error);
        return output;
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException($"The test needs the program {start.FileName}, which cannot be started: {e.Message}. eng/test.sh fetches it.", e);
        }
    }
}
