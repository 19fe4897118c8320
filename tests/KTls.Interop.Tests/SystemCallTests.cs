using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace KTls.Interop.Tests;

/// <summary>The FileServer under strace: how a file's content leaves.</summary>
public sealed partial class SystemCallTests
{
    [Fact]
    public async Task A_file_leaves_by_sendfile_only()
    {
        const int Size = 20_000_000;
        string root = Directory.CreateTempSubdirectory("ktls-strace").FullName;
        string trace = Path.Combine(Scenario.Directory, "trace");
        try
        {
            byte[] content = RandomNumberGenerator.GetBytes(Size);
            await File.WriteAllBytesAsync(Path.Combine(root, "file.bin"), content);

            using PeerProcess server = PeerProcess.Start(
                "strace",
                [
                    .. Strace.Arguments(trace), "dotnet", "exec", typeof(FileServer.UserErrorException).Assembly.Location, "--root", root, "--listen", "127.0.0.1:0",
                    "--data-plane", "require-kernel", "--cert", Scenario.CertificateFile, "--key", Scenario.KeyFile,
                ]);
            string url = await UrlAsync(server);
            using PeerProcess curl = PeerProcess.Start(
                "curl", "--silent", "--show-error", "--fail", "--max-time", "60", "--cacert", Scenario.RootFile,
                "--resolve", $"localhost:{new Uri(url).Port}:127.0.0.1", $"https://localhost:{new Uri(url).Port}/file.bin");
            Scenario.AssertSame(content, await curl.FinishAsync());
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }

        Strace.AssertLeavesBySendFile(await File.ReadAllLinesAsync(trace), "/file.bin", Size);
    }

    [GeneratedRegex(@"Listening on (https://\S+)")]
    private static partial Regex Ready();

    private static async Task<string> UrlAsync(PeerProcess server)
    {
        for (int wanted = 1; ; wanted++)
        {
            string output = Encoding.UTF8.GetString(await server.ReceivedAsync(wanted));
            if (Ready().Match(output) is { Success: true } match)
            {
                return match.Groups[1].Value;
            }

            Assert.True(output.Length >= wanted, $"The server did not start: {output} {(output.Length == 0 ? await server.ErrorsAsync() : string.Empty)}");
            wanted = output.Length;
        }
    }
}
