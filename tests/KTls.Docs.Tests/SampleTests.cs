using System.Diagnostics;
using System.Text.RegularExpressions;

namespace KTls.Docs.Tests;

/// <summary>The small samples run as their README says.</summary>
public sealed partial class SampleTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task The_echo_server_answers_the_echo_client()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory();
        string port = FreePort();
        string[] commands = [.. Command().Matches(await File.ReadAllTextAsync(Repository.PathOf("samples/EchoServer/README.md"))).Select(match => match.Value.Replace("8443", port, StringComparison.Ordinal))];
        Assert.Equal(2, commands.Length);
        using Process server = Start(commands[0], folder.FullName);
        try
        {
            Assert.StartsWith("Listening", await server.StandardOutput.ReadLineAsync().WaitAsync(Patience), StringComparison.Ordinal);
            await AssertStrangerIsSentAwayAsync(int.Parse(port, System.Globalization.CultureInfo.InvariantCulture));
            Assert.StartsWith("A connection ended", await server.StandardOutput.ReadLineAsync().WaitAsync(Patience), StringComparison.Ordinal);
            using Process client = Start(commands[1], folder.FullName);
            await client.StandardInput.WriteAsync("hello\nworld\n");
            client.StandardInput.Close();
            Assert.Equal("hello\nworld\n", await client.StandardOutput.ReadToEndAsync().WaitAsync(Patience));
            await client.WaitForExitAsync().WaitAsync(Patience);
            Assert.Equal(0, client.ExitCode);
            Assert.Contains("sending by", await server.StandardOutput.ReadLineAsync().WaitAsync(Patience), StringComparison.Ordinal);
        }
        finally
        {
            server.Kill();
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("EchoServer")]
    [InlineData("EchoClient")]
    public async Task A_wrong_command_line_is_one_clear_error(string sample)
    {
        using Process program = Start($"dotnet run -c Release --project samples/{sample} -- nonsense", Path.GetTempPath());
        Assert.StartsWith($"Usage: {sample} ", await program.StandardError.ReadToEndAsync().WaitAsync(Patience), StringComparison.Ordinal);
        await program.WaitForExitAsync().WaitAsync(Patience);
        Assert.Equal(2, program.ExitCode);
    }

    /// <summary>What a sample's README says about its options, and what it says itself, are about the same ones.</summary>
    [Theory]
    [InlineData("FileServer")]
    [InlineData("RekeyStress")]
    public async Task A_README_has_the_options_of_the_help(string sample)
    {
        using Process program = Start($"dotnet run -c Release --project samples/{sample} -- --help", Path.GetTempPath());
        string help = await program.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await program.WaitForExitAsync().WaitAsync(Patience);
        Assert.Equal(0, program.ExitCode);
        string page = await File.ReadAllTextAsync(Repository.PathOf($"samples/{sample}/README.md"));
        Assert.Equal(
            HelpOption().Matches(help).Select(match => match.Groups["option"].Value).Where(option => option != "--help"),
            PageOption().Matches(page).Select(match => match.Groups["option"].Value));
    }

    private static async Task AssertStrangerIsSentAwayAsync(int port)
    {
        using var stranger = new System.Net.Sockets.TcpClient();
        await stranger.ConnectAsync(System.Net.IPAddress.Loopback, port);
        await stranger.GetStream().WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        try
        {
            await stranger.GetStream().CopyToAsync(Stream.Null).WaitAsync(Patience);
        }
        catch (IOException)
        {
            // A reset is an end, too.
        }
    }

    private static string FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    // What "dotnet run" would build is built already.
    private static Process Start(string command, string folder)
    {
        Match match = Command().Match(command);
        string sample = match.Groups["sample"].Value;
        var start = new ProcessStartInfo("dotnet", ["exec", Repository.PathOf($"samples/{sample}/bin/Release/net10.0/{sample}.dll"), .. match.Groups["arguments"].Value.Split(' ')])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Process.Start(start)!;
    }

    [GeneratedRegex(@"^dotnet run -c Release --project samples/(?<sample>\w+) -- (?<arguments>.+)$", RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex(@"^ +(?<option>--[a-z-]+)", RegexOptions.Multiline)]
    private static partial Regex HelpOption();

    [GeneratedRegex(@"^\| `(?<option>--[a-z-]+)[^`]*` \|", RegexOptions.Multiline)]
    private static partial Regex PageOption();
}
