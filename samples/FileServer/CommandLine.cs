using System.Globalization;
using KTls;

namespace FileServer;

/// <summary>Reads the command line.</summary>
internal static class CommandLine
{
    public const string PasswordVariable = "KTLS_PASSWORD";

    public const string Help = $"""
        Serves a folder's files over HTTPS; the kernel seals them (kernel TLS) where it can.

        Usage: FileServer [options]

          --root DIR               the folder to serve [the current one]
          --listen [ADDR:]PORT     where to listen: 8443, 0.0.0.0:8443, [::1]:8443, *:8443
                                   (all addresses); port 0 takes a free one [127.0.0.1:8443]
          --cert FILE              certificate with its chain: PEM, DER, PKCS#7 or PKCS#12
                                   [a self-signed one for localhost, made at start]
          --key FILE               private key, PEM or DER [looked for in the --cert file]
          --password TEXT          password of the private key or the PKCS#12 file. Better in
                                   the environment: {PasswordVariable}
          --data-plane PLANE       who seals and opens TLS records [prefer-kernel]
                                     prefer-kernel   the kernel where it can
                                     require-kernel  the kernel, or the connection fails
                                     user-space      KTls in this process
                                     sslstream       .NET's SslStream
          --handshake-timeout SEC  time for a TLS handshake [10]
          --idle-timeout SEC       time without a request, for a request to arrive, or for a
                                   client to take 512 KiB of a response [60]
          --max-connections N      at most N connections at a time [10000]
          --verbose                log more
          --help                   print this

        Exit codes: 0 stopped by Ctrl-C or SIGTERM, 1 the machine refuses, 2 wrong usage.
        """;

    /// <exception cref="UserErrorException">An option is unknown, lacks its value or has a wrong one.</exception>
    public static Settings Parse(IReadOnlyList<string> arguments, Func<string, string?> environment)
    {
        var settings = new Settings { Password = environment(PasswordVariable) };
        using IEnumerator<string> rest = arguments.GetEnumerator();
        while (rest.MoveNext())
        {
            settings = Apply(settings, rest);
        }

        return settings is { KeyFile: not null, CertificateFile: null } && !settings.ShowHelp
            ? throw new UserErrorException("--key goes with --cert, which is missing")
            : settings;
    }

    private static Settings Apply(Settings settings, IEnumerator<string> rest)
    {
        string[] parts = rest.Current.Split('=', 2);
        string option = parts[0];
        string Value() => parts.Length == 2 ? parts[1]
            : rest.MoveNext() ? rest.Current
            : throw new UserErrorException($"{option} needs a value; see --help");

        switch (option)
        {
            case "--help" or "-h" or "--verbose" when parts.Length == 2:
                throw new UserErrorException($"{option} takes no value; see --help");
            case "--help" or "-h":
                return settings with { ShowHelp = true };
            case "--verbose":
                return settings with { Verbose = true };
            case "--root":
                return settings with { Root = FileName(option, Value()) };
            case "--listen":
                return settings with { Listen = ListenAddress.Parse(Value()) };
            case "--cert":
                return settings with { CertificateFile = FileName(option, Value()) };
            case "--key":
                return settings with { KeyFile = FileName(option, Value()) };
            case "--password":
                return settings with { Password = Value() };
            case "--data-plane":
                return settings with { DataPlane = DataPlane(Value()) };
            case "--handshake-timeout":
                return settings with { HandshakeTimeout = Seconds(option, Value()) };
            case "--idle-timeout":
                return settings with { IdleTimeout = Seconds(option, Value()) };
            case "--max-connections":
                return settings with { MaxConnections = Count(option, Value()) };
            default:
                throw new UserErrorException($"unknown argument '{option}'; see --help");
        }
    }

    private static string FileName(string option, string text) =>
        text.Length != 0 ? text : throw new UserErrorException($"{option}: the name is empty");

    private static DataPlanePolicy DataPlane(string text) => text switch
    {
        "prefer-kernel" => DataPlanePolicy.PreferKernel,
        "require-kernel" => DataPlanePolicy.RequireKernel,
        "user-space" => DataPlanePolicy.UserSpace,
        "sslstream" => DataPlanePolicy.SslStream,
        _ => throw new UserErrorException($"--data-plane: '{text}' is not prefer-kernel, require-kernel, user-space or sslstream"),
    };

    private static TimeSpan Seconds(string option, string text)
    {
        const double Day = 24 * 60 * 60;
        return double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds is >= 0.001 and <= Day
            ? TimeSpan.FromSeconds(seconds)
            : throw new UserErrorException($"{option}: '{text}' is not a number of seconds from 0.001 to {Day}");
    }

    private static int Count(string option, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count > 0
            ? count
            : throw new UserErrorException($"{option}: '{text}' is not a number from 1 to {int.MaxValue}");
}
