using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Interop.Tests;

/// <summary>What the tests of all peers share: credentials on disk, a listener, the kernel's counters.</summary>
internal static class Scenario
{
    public const int Size = 1 << 20;

    public static readonly KTlsOptions Kernel = new() { DataPlane = DataPlanePolicy.RequireKernel };

    public static TheoryData<TlsCipherSuite> Suites =>
    [
        TlsCipherSuite.TLS_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256,
    ];

    public static CipherSuitesPolicy Only(TlsCipherSuite suite) => new([suite]);

    public static string Directory { get; } = CreateFiles();

    public static string RootFile => Path.Combine(Directory, "root.pem");

    public static string CertificateFile => Path.Combine(Directory, "cert.pem");

    public static string KeyFile => Path.Combine(Directory, "key.pem");

    public static Socket Listen(out int port)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        return listener;
    }

    public static int FreePort()
    {
        using Socket listener = Listen(out int port);
        return port;
    }

    public static async Task<Socket> ConnectAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port);
        return socket;
    }

    /// <summary>Random lines of text: peers that work by lines take them, and nothing in them is a command.</summary>
    public static byte[] RandomText(int size, int lineLength = 64)
    {
        byte[] text = System.Text.Encoding.ASCII.GetBytes(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(size / 2)));
        for (int i = lineLength - 1; i < text.Length; i += lineLength)
        {
            text[i] = (byte)'\n';
        }

        text[^1] = (byte)'\n';
        return text;
    }

    /// <summary>Asserts that the kernel, and nobody else, did both directions of a connection.</summary>
    public static void AssertKernel(KTlsStream stream, TlsCipherSuite suite)
    {
        Assert.Equal(DataPlaneKind.Kernel, stream.Sending.Kind);
        Assert.Equal(DataPlaneKind.Kernel, stream.Receiving.Kind);
        Assert.Equal(suite, stream.NegotiatedCipherSuite);
    }

    public static void AssertSame(byte[] expected, byte[] actual, string explanation = "")
    {
        int same = expected.AsSpan().CommonPrefixLength(actual);
        Assert.True(
            same == expected.Length && same == actual.Length,
            $"Sent: {expected.Length} bytes. Arrived: {actual.Length}, of which the first {same} are those that were sent. {explanation}");
    }

    /// <summary>What is typed into the peer arrives on our stream.</summary>
    public static async Task AssertArrivesAsync(PeerProcess peer, KTlsStream ours, byte[] data)
    {
        Task sending = peer.SendAsync(data);
        byte[] received = new byte[data.Length];
        await ours.ReadExactlyAsync(received).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        await sending;
        AssertSame(data, received);
    }

    public static (long Sent, long Received) KernelConnections()
    {
        string[] lines = File.ReadAllLines("/proc/net/tls_stat");
        return (Counter(lines, "TlsTxSw"), Counter(lines, "TlsRxSw"));
    }

    public static long Counter(string[] lines, string name) =>
        long.Parse(lines.Single(line => line.StartsWith(name, StringComparison.Ordinal) && char.IsWhiteSpace(line[name.Length])).AsSpan(name.Length), System.Globalization.CultureInfo.InvariantCulture);

    private static string CreateFiles()
    {
        string directory = System.IO.Directory.CreateTempSubdirectory("ktls-interop").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => System.IO.Directory.Delete(directory, recursive: true);
        File.WriteAllText(Path.Combine(directory, "root.pem"), TestPki.Root.ExportCertificatePem());
        File.WriteAllText(Path.Combine(directory, "cert.pem"), TestPki.Ecdsa.ExportCertificatePem());
        File.WriteAllText(Path.Combine(directory, "key.pem"), TestPki.Ecdsa.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        return directory;
    }
}
