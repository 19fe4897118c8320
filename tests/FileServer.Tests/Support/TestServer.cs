using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using FileServer.Certificates;
using FileServer.Files;
using KTls;
using Microsoft.Extensions.Logging;

namespace FileServer.Tests.Support;

/// <summary>A server in this process, with a folder of its own, on a free port.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly ServerCertificate _certificate = ServerCertificate.Load(new Settings());
    private readonly LogList _log = new();
    private readonly Server _server;
    private readonly Task _run;

    public TestServer(Settings? settings = null)
    {
        settings ??= new Settings();
        var options = new ConnectionOptions(
            new Responder(new FileRoot(Folder.Name)),
            new SslServerAuthenticationOptions { ApplicationProtocols = [SslApplicationProtocol.Http11] },
            new KTlsOptions { ServerCredentials = _certificate.Credentials, DataPlane = settings.DataPlane, HandshakeTimeout = settings.HandshakeTimeout },
            settings.IdleTimeout,
            _log);
        _server = Server.Listen(ListenAddress.Parse("127.0.0.1:0"), options, settings.MaxConnections);
        _run = _server.RunAsync(_stop.Token);
    }

    /// <summary>Whether this machine's kernel has TLS: then the kernel has to serve, else it cannot.</summary>
    public static bool KernelHasTls { get; } =
        File.ReadAllText("/proc/sys/net/ipv4/tcp_available_ulp").Split([' ', '\n']).Contains("tls");

    public TemporaryFolder Folder { get; } = new();

    public IPEndPoint EndPoint => _server.EndPoint;

    public Uri Url => new($"https://localhost:{EndPoint.Port}/");

    public Task Stopped => _run;

    public void Stop() => _stop.Cancel();

    /// <summary>Waits for a line of the log.</summary>
    public async Task<string> LogLineAsync(Func<string, bool> wanted)
    {
        for (int i = 0; i < 1500; i++)
        {
            if (_log.Lines.FirstOrDefault(wanted) is { } line)
            {
                return line;
            }

            await Task.Delay(20);
        }

        throw new TimeoutException("No such line among: " + string.Join('\n', _log.Lines));
    }

    public Task<string> LogLineAsync(string part) => LogLineAsync(line => line.Contains(part, StringComparison.Ordinal));

    public int CountLines(string part) => _log.Lines.Count(line => line.Contains(part, StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run.WaitAsync(TimeSpan.FromSeconds(30));
        _server.Dispose();
        _certificate.Dispose();
        Folder.Dispose();
        Assert.DoesNotContain(_log.Lines, line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    private sealed class LogList : ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{logLevel}: {formatter(state, exception)} {exception}");
    }
}
