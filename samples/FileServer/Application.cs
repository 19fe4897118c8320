using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using FileServer.Certificates;
using FileServer.Files;
using KTls;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace FileServer;

/// <summary>From the command line to a running server.</summary>
internal static class Application
{
    /// <summary>Runs until the token is cancelled.</summary>
    /// <returns>The exit code of the process.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter output, TextWriter error, CancellationToken stopping)
    {
        try
        {
            Settings settings = CommandLine.Parse(arguments, Environment.GetEnvironmentVariable);
            if (settings.ShowHelp)
            {
                await output.WriteLineAsync(CommandLine.Help).ConfigureAwait(false);
                return 0;
            }

            await ServeAsync(settings, output, error, stopping).ConfigureAwait(false);
            return 0;
        }
        catch (UserErrorException e)
        {
            await error.WriteLineAsync($"FileServer: {e.Message}").ConfigureAwait(false);
            return e.ExitCode;
        }
    }

    private static async Task ServeAsync(Settings settings, TextWriter output, TextWriter error, CancellationToken stopping)
    {
        var root = new FileRoot(settings.Root);
        using ILoggerFactory loggers = CreateLoggers(settings.Verbose);
        using ServerCertificate certificate = ServerCertificate.Load(settings, loggers);
        await WarnAsync(settings, root, certificate, error).ConfigureAwait(false);
        var options = new ConnectionOptions(
            new Responder(root),
            CreateTlsOptions(),
            new KTlsOptions
            {
                ServerCredentials = certificate.Credentials,
                DataPlane = settings.DataPlane,
                HandshakeTimeout = settings.HandshakeTimeout,
                LoggerFactory = loggers,
            },
            settings.IdleTimeout,
            loggers.CreateLogger("FileServer"));
        int maxConnections = Math.Min(settings.MaxConnections, DescriptorLimit.Connections());
        using Server server = Server.Listen(settings.Listen, options, maxConnections);
        await output.WriteLineAsync($"Listening on https://{server.EndPoint}/ serving {root.Path} (certificate: {certificate.Description})").ConfigureAwait(false);
        await output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        if (maxConnections < settings.MaxConnections)
        {
            Log.FewDescriptors(options.Logger, maxConnections, settings.MaxConnections);
        }

        await server.RunAsync(stopping).ConfigureAwait(false);
    }

    private static async Task WarnAsync(Settings settings, FileRoot root, ServerCertificate certificate, TextWriter error)
    {
        if (certificate.Warning(DateTimeOffset.UtcNow) is { } warning)
        {
            await error.WriteLineAsync($"FileServer: warning: {warning}").ConfigureAwait(false);
        }

        if ((settings.KeyFile ?? settings.CertificateFile) is { } key && root.Holds(key))
        {
            await error.WriteLineAsync($"FileServer: warning: {key} holds the private key and lies in the folder that is served").ConfigureAwait(false);
        }
    }

    /// <summary>The options are .NET's own, the same that SslStream takes.</summary>
    private static SslServerAuthenticationOptions CreateTlsOptions() => new()
    {
        ApplicationProtocols = [SslApplicationProtocol.Http11],
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
    };

    private static ILoggerFactory CreateLoggers(bool verbose) => LoggerFactory.Create(builder =>
    {
        // Whoever does not read the log must not be able to stop the server.
        builder.AddConsole(console => console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite);
        builder.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
        });
        builder.SetMinimumLevel(verbose ? LogLevel.Debug : LogLevel.Information);

        // Who takes a connection over, and why, stands in its last line anyway.
        builder.AddFilter("KTls", verbose ? LogLevel.Debug : LogLevel.Warning);
    });
}
