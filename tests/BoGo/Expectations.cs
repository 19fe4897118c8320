using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>Compares what was agreed on with what the runner expects.</summary>
internal static class Expectations
{
    public static void Check(ConnectionFlags flags, TlsHandshake handshake, TlsSession session)
    {
        ushort version = session.Protocol == SslProtocols.Tls13 ? (ushort)0x0304 : (ushort)0x0303;
        Compare("version", flags.ExpectedVersion, version);
        Compare("cipher suite", flags.ExpectedCipherSuite, (ushort)session.CipherSuite);
        Compare("group", flags.ExpectedGroup, (ushort)session.Group);

        string expectedProtocol = flags.IsServer ? flags.SelectedProtocol : flags.ExpectedProtocol;
        string protocol = Encoding.UTF8.GetString(session.ApplicationProtocol.Protocol.Span);
        if (protocol != expectedProtocol)
        {
            throw new ShimException($"The application protocol is \"{protocol}\", not \"{expectedProtocol}\".");
        }

        if (flags.ExpectedPeerCertificateFile.Length != 0 && handshake is ClientHandshake client)
        {
            CheckServerCertificates(flags.ExpectedPeerCertificateFile, client);
        }
    }

    private static void Compare(string what, ushort expected, ushort actual)
    {
        if (expected != 0 && expected != actual)
        {
            throw new ShimException($"The {what} is {actual:x4}, not {expected:x4}.");
        }
    }

    private static void CheckServerCertificates(string file, ClientHandshake client)
    {
        var expected = new X509Certificate2Collection();
        expected.ImportFromPemFile(file);
        byte[][] received = [client.ServerCertificate!.RawData, .. client.OtherCertificates];
        if (expected.Count != received.Length || !expected.Zip(received).All(pair => pair.First.RawDataMemory.Span.SequenceEqual(pair.Second)))
        {
            throw new ShimException("The server's certificates are not the expected ones.");
        }
    }
}
