using System.Globalization;
using System.Net;
using KTls;

namespace FileServer;

/// <summary>An error of the user's making: one line, exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>The command line.</summary>
internal sealed record CommandLine
{
    public const string Usage = """
        Usage: FileServer [options]
          --root DIR              the files to serve (default: the current directory)
          --listen [ADDRESS:]PORT default 127.0.0.1:8443; *:PORT for all addresses, [::1]:PORT for IPv6, port 0 for any
          --cert FILE             certificate chain: PEM, or PKCS#12 with its key (default: a self-signed one, made now)
          --key FILE              private key of a PEM certificate (default: in the --cert file)
          --password TEXT         password of --cert or --key (or in KTLS_PASSWORD, which ps does not show)
          --data-plane PLANE      prefer-kernel (default), require-kernel, user-space or sslstream
          --handshake-timeout S   seconds, default 10
          --idle-timeout S        seconds without a request, or without progress of a response, default 60
          --max-connections N     default 10000
          --verbose               log more
        """;

    public string Root { get; private set; } = Directory.GetCurrentDirectory();

    public IPEndPoint Listen { get; private set; } = new(IPAddress.Loopback, 8443);

    public string? Certificate { get; private set; }

    public string? Key { get; private set; }

    public string? Password { get; private set; } = Environment.GetEnvironmentVariable("KTLS_PASSWORD");

    public DataPlanePolicy DataPlane { get; private set; } = DataPlanePolicy.PreferKernel;

    public TimeSpan HandshakeTimeout { get; private set; } = TimeSpan.FromSeconds(10);

    public TimeSpan IdleTimeout { get; private set; } = TimeSpan.FromSeconds(60);

    public int MaxConnections { get; private set; } = 10_000;

    public bool Verbose { get; private set; }

    public bool Help { get; private set; }

    /// <exception cref="UsageException">An argument is unknown or malformed.</exception>
    public static CommandLine Parse(ReadOnlySpan<string> args)
    {
        var result = new CommandLine();
        for (int i = 0; i < args.Length; i++)
        {
            string name = args[i];
            if (name is "--help" or "-h")
            {
                result.Help = true;
                continue;
            }

            if (name == "--verbose")
            {
                result.Verbose = true;
                continue;
            }

            string value = i + 1 < args.Length ? args[++i] : throw new UsageException(IsOption(name) ? $"{name} needs a value." : Unknown(name));
            result.Set(name, value);
        }

        if (result.Key is not null && result.Certificate is null)
        {
            throw new UsageException("--key goes with --cert.");
        }

        return result;
    }

    private static bool IsOption(string name) => Usage.Contains($"  {name} ", StringComparison.Ordinal);

    private static string Unknown(string name) => $"Unknown argument '{name}'. --help lists the options.";

    private static IPEndPoint ParseEndPoint(string value)
    {
        int colon = value.LastIndexOf(':');
        string host = colon < 0 ? "127.0.0.1" : value[..colon];
        string port = value[(colon + 1)..];
        IPAddress? address = host == "*" ? (System.Net.Sockets.Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any) : host == "localhost" ? IPAddress.Loopback : null;
        if ((address is null && !IPAddress.TryParse(host, out address))
            || !ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out ushort number))
        {
            throw new UsageException($"--listen wants [ADDRESS:]PORT, such as 127.0.0.1:8443 or *:443, not '{value}'.");
        }

        return new IPEndPoint(address, number);
    }

    private static TimeSpan ParseSeconds(string name, string value) =>
        double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds is >= 0.1 and <= 86_400
            ? TimeSpan.FromSeconds(seconds)
            : throw new UsageException($"{name} wants seconds from 0.1 to 86400, not '{value}'.");

    private void Set(string name, string value)
    {
        switch (name)
        {
            case "--root":
                Root = value;
                break;
            case "--listen":
                Listen = ParseEndPoint(value);
                break;
            case "--cert":
                Certificate = value;
                break;
            case "--key":
                Key = value;
                break;
            case "--password":
                Password = value;
                break;
            case "--data-plane":
                DataPlane = value switch
                {
                    "prefer-kernel" => DataPlanePolicy.PreferKernel,
                    "require-kernel" => DataPlanePolicy.RequireKernel,
                    "user-space" => DataPlanePolicy.UserSpace,
                    "sslstream" => DataPlanePolicy.SslStream,
                    _ => throw new UsageException($"--data-plane wants prefer-kernel, require-kernel, user-space or sslstream, not '{value}'."),
                };
                break;
            case "--handshake-timeout":
                HandshakeTimeout = ParseSeconds(name, value);
                break;
            case "--idle-timeout":
                IdleTimeout = ParseSeconds(name, value);
                break;
            case "--max-connections":
                MaxConnections = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count > 0
                    ? count
                    : throw new UsageException($"--max-connections wants a positive number, not '{value}'.");
                break;
            default:
                throw new UsageException(Unknown(name));
        }
    }
}
