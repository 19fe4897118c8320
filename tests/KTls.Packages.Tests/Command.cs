using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace KTls.Packages.Tests;

/// <summary>Programs that the tests run.</summary>
internal static class Command
{
    public static string Repository { get; } = FindRepository();

    /// <summary>Runs a program, which must succeed.</summary>
    /// <returns>What it has written to standard output.</returns>
    public static string Run(string folder, string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program.Contains('/', StringComparison.Ordinal) ? Path.Combine(folder, program) : program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', start.ArgumentList)}: exit code {process.ExitCode}\n{output}\n{errors.Result}");
        return output;
    }

    private static string FindRepository([CallerFilePath] string path = "")
    {
        // The compiler may have mapped the path away (deterministic builds); then the tests' own place leads there.
        string? folder = File.Exists(path) ? Path.GetDirectoryName(path) : AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "KTls.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("The tests have to run inside the repository.");
    }
}
