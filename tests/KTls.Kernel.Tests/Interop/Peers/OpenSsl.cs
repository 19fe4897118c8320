using System.Net.Security;
using KTls.Handshake;

namespace KTls.Tests.Interop;

/// <summary>The programs openssl s_client and openssl s_server.</summary>
internal static class OpenSsl
{
    /// <summary>OpenSSL's name for a group.</summary>
    public static string Name(NamedGroup group) => group == NamedGroup.Secp256r1 ? "P-256" : group.ToString();

    /// <summary>Sends SNI and offers http/1.1, and the end of its input ends nothing.</summary>
    public static IEnumerable<string> Usual => ["-servername", "localhost", "-alpn", "http/1.1", "-ign_eof"];

    /// <summary>A client that trusts the root alone, and sends no SNI by itself. What it says of its messages goes to messages.txt.</summary>
    public static PeerProcess StartClient(PeerFolder folder, int port, TlsCipherSuite suite, string groups, params IEnumerable<string> more) => PeerProcess.Start(
        "openssl",
        [
            "s_client", "-connect", $"127.0.0.1:{port}", "-verify_hostname", "localhost", "-verify_return_error",
            "-CAfile", folder.RootFile, "-no-CApath", "-no-CAstore", "-tls1_3", "-ciphersuites", suite.ToString(), "-groups", groups,
            "-brief", "-msg", "-msgfile", folder.File("messages.txt"), .. more,
        ]);

    /// <summary>A server for one connection. What it says of its messages goes to messages.txt.</summary>
    public static PeerProcess StartServer(PeerFolder folder, int port, TlsCipherSuite suite, string groups, params IEnumerable<string> more) => PeerProcess.Start(
        "openssl",
        [
            "s_server", "-accept", $"127.0.0.1:{port}", "-naccept", "1", "-cert", folder.LeafFile, "-key", folder.KeyFile,
            "-tls1_3", "-ciphersuites", suite.ToString(), "-groups", groups,
            "-quiet", "-msg", "-msgfile", folder.File("messages.txt"), .. more,
        ]);

    /// <summary>Checks what the peer has sent (<c>&gt;&gt;&gt;</c>) and received (<c>&lt;&lt;&lt;</c>), once it has ended.</summary>
    public static int CountMessages(PeerFolder folder, string direction, string message) => File.ReadLines(folder.File("messages.txt"))
        .Count(line => line.StartsWith(direction, StringComparison.Ordinal) && line.Contains(message, StringComparison.Ordinal));

    /// <summary>Fails unless close_notify went both ways.</summary>
    public static void CheckCloseNotify(PeerFolder folder)
    {
        Assert.Equal(1, CountMessages(folder, "<<<", "close_notify"));
        Assert.Equal(1, CountMessages(folder, ">>>", "close_notify"));
    }
}
