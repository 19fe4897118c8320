using System.Globalization;
using System.Net.Security;
using System.Runtime.InteropServices;
using FileServer;
using Microsoft.Extensions.Logging;

try
{
    CommandLine options = CommandLine.Parse(args);
    if (options.Help)
    {
        Console.WriteLine(CommandLine.Usage);
        return 0;
    }

    var files = new StaticFiles(options.Root);
    SslStreamCertificateContext certificate = options.Certificate is null
        ? CertificateLoading.CreateSelfSigned()
        : CertificateLoading.Load(options.Certificate, options.Key, options.Password);
    if (certificate.TargetCertificate.NotAfter < DateTime.Now)
    {
        Console.Error.WriteLine($"Warning: the certificate expired on {certificate.TargetCertificate.NotAfter:d}.");
    }

    using ILoggerFactory loggers = LoggerFactory.Create(builder => builder
        .SetMinimumLevel(options.Verbose ? LogLevel.Debug : LogLevel.Information)
        .AddSimpleConsole(console => console.SingleLine = true));
    using var server = new Server(options, files, certificate, loggers);
    using var stopping = new CancellationTokenSource();

    // The first signal stops in good order; the second one is left to do what it does by itself.
    void Stop(PosixSignalContext signal)
    {
        if (!stopping.IsCancellationRequested)
        {
            signal.Cancel = true;
            stopping.Cancel();
        }
    }

    using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
    using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

    string fingerprint = certificate.TargetCertificate.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256);
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"Listening on https://{server.EndPoint}/ serving {files.Root} (certificate: {(options.Certificate is null ? "self-signed" : options.Certificate)}, SHA-256 {fingerprint})"));
    await server.RunAsync(stopping.Token);
    return 0;
}
catch (UsageException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
