using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace KTls.Docs.Tests;

/// <summary>
/// Every command of the documentation (a block of <c>sh</c>) is tried, page by page in their order, as it stands there; only the port
/// is a free one. Servers run until the page ends; measurements, which take minutes to an hour, are begun.
/// </summary>
public sealed partial class ShellBlockTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>What is not tried, and why.</summary>
    private static readonly Dictionary<string, string> Exceptions = new()
    {
        ["eng/test.sh"] = "these tests are part of it",
        ["dotnet-counters monitor --process-id PID --counters KTls"] = "one of .NET's own tools, which is no part of the SDK",
    };

    public static TheoryData<string> Pages => [.. Repository.Pages.Where(page => CommandsOf(page).Any())];

    [Fact]
    public void Every_block_says_what_it_is() => Assert.All(Repository.Pages, page =>
    {
        string[] fences = [.. File.ReadAllLines(Repository.PathOf(page)).Select(line => line.Trim()).Where(line => line.StartsWith("```", StringComparison.Ordinal))];
        Assert.All(fences.Index(), fence => Assert.True(
            fence.Index % 2 == 0 ? fence.Item is "```csharp" or "```sh" or "```text" : fence.Item == "```",
            $"{page}, block {(fence.Index / 2) + 1}: {fence.Item} is not csharp, sh or text, or not its end."));
    });

    [Fact]
    public void Every_exception_is_still_there() =>
        Assert.Empty(Exceptions.Keys.Except(Repository.Pages.SelectMany(CommandsOf)));

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task The_commands_work(string page)
    {
        string port = FreePort();
        var servers = new List<Shell>();
        try
        {
            foreach (string command in CommandsOf(page).Where(command => !Exceptions.ContainsKey(command)))
            {
                string tried = command.Replace("8443", port, StringComparison.Ordinal);
                if (Server().IsMatch(tried))
                {
                    var server = new Shell(tried);
                    servers.Add(server);
                    await server.ListensAsync(int.Parse(port));
                }
                else if (Measurement().Match(tried) is { Success: true } measurement)
                {
                    await TryLabAsync(measurement.Groups["lab"].Value);
                    await BeginAsync(measurement.Groups["program"].Value);
                }
                else
                {
                    await RunAsync(tried);
                }
            }
        }
        finally
        {
            servers.ForEach(server => server.Dispose());
            File.Delete(Repository.PathOf("echo.pem"));
        }
    }

    private static IEnumerable<string> CommandsOf(string page)
    {
        bool isShell = false;
        StringBuilder command = new();
        foreach (string line in File.ReadAllLines(Repository.PathOf(page)).Select(line => line.Trim()))
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                isShell = line == "```sh";
            }
            else if (isShell)
            {
                command.Append(line.TrimEnd('\\'));
                if (!line.EndsWith('\\'))
                {
                    yield return command.ToString();
                    command.Clear();
                }
            }
        }
    }

    private static async Task RunAsync(string command)
    {
        using var shell = new Shell(command);
        await shell.WaitForExitAsync();

        // KTlsInfo says so by 1 where the kernel has no TLS.
        Assert.True(shell.ExitCode == 0 || (shell.ExitCode == 1 && command.EndsWith("samples/KTlsInfo", StringComparison.Ordinal)), shell.ToString());
        Assert.True(shell.Output.Length != 0, shell.ToString());
    }

    // The same guest, with nothing to do in it.
    private static async Task TryLabAsync(string lab)
    {
        if (lab.Length == 0)
        {
            return;
        }

        using var shell = new Shell($"{lab.Replace("PATH", "7.2", StringComparison.Ordinal)} echo booted");
        await shell.WaitForExitAsync();
        Assert.True(shell is { ExitCode: 0, Output: "booted\n" }, shell.ToString());
    }

    // Its first words of progress, or, where the kernel has no TLS, that this is what it needs: both come after the options were read.
    private static async Task BeginAsync(string program)
    {
        using var shell = new Shell(program);
        await shell.SaysAsync(output => Progress().IsMatch(output));
    }

    private static string FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("^dotnet run .*samples/(EchoServer|FileServer|KestrelSite)")]
    private static partial Regex Server();

    [GeneratedRegex("^(?<lab>eng/lab.sh .* --)? ?(?<program>.*KTls.Bench.*)$")]
    private static partial Regex Measurement();

    [GeneratedRegex("warming up|repetition 1 of|needs kernel TLS")]
    private static partial Regex Progress();

    /// <summary>A command in the folder of the repository, as a reader has it.</summary>
    private sealed class Shell : IDisposable
    {
        private readonly string _command;
        private readonly Process _process;
        private readonly StringBuilder _output = new();

        public Shell(string command)
        {
            _command = command;
            _process = new Process
            {
                StartInfo = new ProcessStartInfo("bash", ["-c", command])
                {
                    WorkingDirectory = Repository.Root, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
                },
            };
            _process.OutputDataReceived += Append;
            _process.ErrorDataReceived += Append;
            _process.Start();
            _process.BeginOutputReadLine();
            _process.BeginErrorReadLine();

            // Whoever reads what one types gets a line, and the end; whoever has ended already does not.
            try
            {
                _process.StandardInput.WriteLine("hello");
                if (!Server().IsMatch(command))
                {
                    _process.StandardInput.Close();
                }
            }
            catch (IOException)
            {
            }
        }

        public int ExitCode => _process.ExitCode;

        public string Output
        {
            get
            {
                lock (_output)
                {
                    return _output.ToString();
                }
            }
        }

        public Task WaitForExitAsync() => WaitAsync(() => _process.HasExited);

        public Task SaysAsync(Predicate<string> what) => WaitAsync(() => what(Output));

        public Task ListensAsync(int port) => WaitAsync(() =>
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Connect(IPAddress.Loopback, port);
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        });

        public override string ToString() => $"{_command}\n{(_process.HasExited ? $"exit code {ExitCode}" : "did not end")}\n{Output}";

        public void Dispose()
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
            _process.Dispose();
        }

        private void Append(object sender, DataReceivedEventArgs line)
        {
            lock (_output)
            {
                _output.Append(line.Data).Append(line.Data is null ? "" : "\n");
            }
        }

        private async Task WaitAsync(Func<bool> holds)
        {
            using var patience = new CancellationTokenSource(Patience);
            while (!holds())
            {
                Assert.False(patience.IsCancellationRequested, ToString());
                if (_process.HasExited)
                {
                    // All that it has said may hold now.
                    await _process.WaitForExitAsync(patience.Token);
                    Assert.True(holds(), ToString());
                }

                await Task.Delay(100);
            }

            if (_process.HasExited)
            {
                await _process.WaitForExitAsync(patience.Token);
            }
        }
    }
}
