using System.Globalization;
using System.Net.Security;

namespace RekeyStress.Peers;

/// <summary>A program of another TLS library, and how it is told what to do: what it reads it sends, and what it receives it writes.</summary>
internal sealed record PeerProgram
{
    public required string Command { get; init; }

    public required string[] Arguments { get; init; }

    public required bool IsServer { get; init; }

    /// <summary>The line that makes it change its keys; null: it does so when we ask for it, only.</summary>
    public string? Update { get; init; }

    /// <summary>The line that makes it change its keys and ask for ours.</summary>
    public string? UpdateAndRequest { get; init; }

    /// <summary>Sends what it receives, and nothing else.</summary>
    public bool Echoes { get; init; }

    /// <summary>What it writes of its own accord ends with this line.</summary>
    public string? Preface { get; init; }

    /// <summary>How many lines it is sent at a time, and sends, at most.</summary>
    public required int MaxLines { get; init; }

    /// <summary>A rest after each KeyUpdate of ours, for a peer that takes only so many a second.</summary>
    public TimeSpan Rest { get; init; }

    public static PeerProgram Of(PeerKind kind, bool isServer, int port, TlsCipherSuite suite, string folder) => (kind, isServer) switch
    {
        (PeerKind.OpenSsl, false) => new PeerProgram
        {
            Command = "openssl",
            Arguments = ["s_client", "-brief", "-connect", $"127.0.0.1:{port}", "-servername", "localhost", "-tls1_3", "-ciphersuites", suite.ToString()],
            IsServer = false,
            Update = "k\n",
            UpdateAndRequest = "K\n",
            MaxLines = 512,
        },
        (PeerKind.OpenSsl, true) => new PeerProgram
        {
            Command = "openssl",
            Arguments =
            [
                "s_server", "-naccept", "1", "-accept", $"127.0.0.1:{port}", "-cert", Path.Combine(folder, "cert.pem"), "-key", Path.Combine(folder, "key.pem"),
                "-tls1_3", "-ciphersuites", suite.ToString(),
            ],
            IsServer = true,
            Update = "k\n",
            UpdateAndRequest = "K\n",
            Preface = "This TLS version forbids renegotiation.\n",
            MaxLines = 512,
        },

        // It makes a system call for each byte that it writes.
        (PeerKind.GnuTls, false) => new PeerProgram
        {
            Command = "gnutls-cli",
            Arguments =
            [
                "--logfile", Path.Combine(folder, $"gnutls-cli.{port}.log"), "--inline-commands", "--x509cafile", Path.Combine(folder, "cert.pem"),
                "--verify-hostname", "localhost", "--sni-hostname", "localhost", "--priority", Priority(suite), "--port", Number(port), "127.0.0.1",
            ],
            IsServer = false,
            Update = "^rekey1^\n",
            UpdateAndRequest = "^rekey^\n",
            MaxLines = 16,
            Rest = GnuTlsRest,
        },
        _ => new PeerProgram
        {
            Command = "gnutls-serv",
            Arguments =
            [
                "--quiet", "--echo", "--port", Number(port), "--x509certfile", Path.Combine(folder, "cert.pem"), "--x509keyfile", Path.Combine(folder, "key.pem"),
                "--priority", Priority(suite),
            ],
            IsServer = true,
            Echoes = true,
            MaxLines = 16,
            Rest = GnuTlsRest,
        },
    };

    // GnuTLS ends a connection with more than 8 KeyUpdates of ours within a second.
    private static TimeSpan GnuTlsRest => TimeSpan.FromMilliseconds(150);

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Priority(TlsCipherSuite suite) => "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+" + suite switch
    {
        TlsCipherSuite.TLS_AES_128_GCM_SHA256 => "AES-128-GCM",
        TlsCipherSuite.TLS_AES_256_GCM_SHA384 => "AES-256-GCM",
        _ => "CHACHA20-POLY1305",
    };
}
