using System.Diagnostics;
using System.Text;

namespace FileServer.Tests.Support;

/// <summary>Other programs.</summary>
internal static class Tool
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public sealed record Result(int ExitCode, string Output, string Error);

    public static async Task<Result> RunAsync(string program, params string[] arguments)
    {
        using Process process = Start(program, arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(Limit);
        return new Result(process.ExitCode, await output, await error);
    }

    public static Process Start(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        return Process.Start(start)!;
    }

    /// <summary>
    /// The server as a process of its own. It heeds SIGINT also where these tests run in the background of a shell, which
    /// makes every program there ignore it.
    /// </summary>
    public static Process StartServer(params string[] arguments) => StartServerIn([], arguments);

    /// <summary>The same, with variables (NAME=VALUE) in its environment.</summary>
    public static Process StartServerIn(string[] environment, params string[] arguments) =>
        Start("env", ["--default-signal=INT", .. environment, "dotnet", "exec", typeof(Application).Assembly.Location, .. arguments]);
}
