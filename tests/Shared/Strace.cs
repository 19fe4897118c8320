using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace KTls.Tests;

/// <summary>strace: the system calls by which a process may touch a file's content.</summary>
internal static partial class Strace
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>The arguments for strace, before the program to run or <c>-p</c>. -y writes the path of each descriptor beside its number.</summary>
    /// <param name="trace">The file for the calls, one a line.</param>
    public static IReadOnlyList<string> Arguments(string trace) =>
        ["-f", "-y", "-s", "0", "-o", trace, "-e", "trace=read,pread64,readv,preadv,preadv2,mmap,sendfile,splice,copy_file_range"];

    /// <summary>Follows a process, with all of its threads, while an action runs; returns the calls.</summary>
    public static async Task<string[]> FollowAsync(int process, string trace, Func<Task> action)
    {
        using var strace = Process.Start(new ProcessStartInfo("strace", [.. Arguments(trace), "-p", process.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardError = true })!;
        string? line = await strace.StandardError.ReadLineAsync().WaitAsync(Patience);
        Assert.Contains("attached", line, StringComparison.Ordinal);
        Task<string> rest = strace.StandardError.ReadToEndAsync();
        try
        {
            await action();
        }
        finally
        {
            using var kill = Process.Start("kill", ["-INT", strace.Id.ToString(CultureInfo.InvariantCulture)]);
            await strace.WaitForExitAsync().WaitAsync(Patience);
        }

        await rest;
        return await File.ReadAllLinesAsync(trace);
    }

    /// <summary>Asserts that no call but sendfile touched a file, and that so many bytes left.</summary>
    /// <param name="calls">What strace wrote.</param>
    /// <param name="file">The end of the file's path.</param>
    /// <param name="length">How many bytes have to have left.</param>
    public static void AssertLeavesBySendFile(IReadOnlyCollection<string> calls, string file, long length)
    {
        string[] touching = [.. calls.Where(call => call.Contains(file, StringComparison.Ordinal))];
        Assert.NotEmpty(touching);
        Assert.DoesNotContain(touching, call => !call.Contains("sendfile(", StringComparison.Ordinal));

        // A call that was interrupted has its result on a line of its own, without the path.
        long sent = calls.Where(call => call.Contains("sendfile", StringComparison.Ordinal))
            .Select(call => Result().Match(call)).Where(match => match.Success).Sum(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
        Assert.Equal(length, sent);
    }

    [GeneratedRegex(@"= (\d+)$")]
    private static partial Regex Result();
}
