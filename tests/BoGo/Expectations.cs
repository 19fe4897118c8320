using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>Compares what was agreed on with what the runner expects.</summary>
internal static class Expectations
{
    public static void Check(ConnectionFlags flags, TlsHandshake handshake, ConnectionFacts facts, ShimCredentials credentials, bool isResumption)
    {
        ushort version = facts.Protocol == SslProtocols.Tls13 ? (ushort)0x0304 : (ushort)0x0303;
        Compare("version", flags.ExpectedVersion, version);
        Compare("cipher suite", flags.ExpectedCipherSuite, (ushort)facts.CipherSuite);
        Compare("group", flags.ExpectedGroup, (ushort)(facts.Group ?? default));
        Require((facts.IsResumed == true) == (isResumption && !flags.ExpectsFullHandshake), $"The session was{(facts.IsResumed == true ? "" : " not")} resumed.");

        Require(
            flags.ExpectsRetry is not { } retry || handshake.Flow!.WasRetried == retry,
            $"There was {(flags.ExpectsRetry == true ? "no" : "a")} HelloRetryRequest.");

        string expectedProtocol = flags.IsServer ? flags.SelectedProtocol : flags.ExpectedProtocol;
        string protocol = Encoding.UTF8.GetString(facts.ApplicationProtocol.Protocol.Span);
        Require(protocol == expectedProtocol, $"The application protocol is \"{protocol}\", not \"{expectedProtocol}\".");

        Require(credentials.Complaint is null, credentials.Complaint!);
        Require(flags.ExpectedCredential is not { } number || number == credentials.Selected, $"The credential {credentials.Selected} was chosen, not {flags.ExpectedCredential}.");
        Require(!flags.ExpectsNoPeerCertificate || handshake.PeerCertificate is null, "There is a certificate of the peer's, and must be none.");

        // KTls does not keep the response with the session: it would be stale.
        Require(flags.ExpectedOcspResponse.Length == 0 || facts.IsResumed == true || handshake.PeerOcspResponse.Span.SequenceEqual(flags.ExpectedOcspResponse), "The OCSP response is not the expected one.");
        if (flags.ExpectedPeerCertificateFile.Length != 0)
        {
            CheckPeerCertificates(flags.ExpectedPeerCertificateFile, handshake);
        }
    }

    /// <summary>Checks whether a client has got a session for the next connection.</summary>
    public static void CheckTicket(ConnectionFlags flags, RunnerConnection data)
    {
        if (flags.IsServer)
        {
            return;
        }

        Require(!flags.ExpectsNoSession || data.Ticket is null, "The server gave a session, and must not.");

        // In TLS 1.3 tickets come after the handshake, and a shim that shuts down at once does not see them.
        bool expectsOne = data.Facts.Protocol == SslProtocols.Tls13 ? !flags.ExpectsNoSession && !flags.ShimShutsDown : flags.ExpectsTicketRenewal;
        Require(!expectsOne || data.Ticket is not null, "The server gave no ticket.");
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new ShimException(message);
        }
    }

    private static void Compare(string what, ushort expected, ushort actual) =>
        Require(expected == 0 || expected == actual, $"The {what} is {actual:x4}, not {expected:x4}.");

    private static void CheckPeerCertificates(string file, TlsHandshake handshake)
    {
        var expected = new X509Certificate2Collection();
        expected.ImportFromPemFile(file);
        byte[][] received = [handshake.PeerCertificate!.RawData, .. handshake.OtherCertificates];
        Require(
            expected.Count == received.Length && expected.Zip(received).All(pair => pair.First.RawDataMemory.Span.SequenceEqual(pair.Second)),
            "The peer's certificates are not the expected ones.");
    }
}
