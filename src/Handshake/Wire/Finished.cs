using System.Security.Cryptography;
using KTls.Handshake.Crypto;

namespace KTls.Handshake.Wire;

/// <summary>Finished (RFC 8446 §4.4.4).</summary>
internal static class Finished
{
    /// <summary>Writes our Finished for the transcript so far.</summary>
    public static void Write(WireWriter writer, CipherSuite suite, ReadOnlySpan<byte> ownSecret, Transcript transcript)
    {
        Span<byte> hash = stackalloc byte[CipherSuite.MaxHashLength];
        WireWriter.Vector message = writer.BeginMessage(HandshakeType.Finished);
        KeySchedule.FinishedVerifyData(suite, ownSecret, transcript.Current(hash), writer.Reserve(suite.HashLength));
        writer.End(message);
    }

    /// <summary>Checks the peer's Finished against the transcript before it.</summary>
    /// <exception cref="TlsAlertException">It does not fit.</exception>
    public static void Verify(CipherSuite suite, ReadOnlySpan<byte> peerSecret, Transcript transcript, ReadOnlySpan<byte> message)
    {
        ReadOnlySpan<byte> verifyData = message[4..];
        if (verifyData.Length != suite.HashLength)
        {
            throw new TlsAlertException(AlertDescription.DecodeError, "A Finished message of the wrong length.");
        }

        Span<byte> hash = stackalloc byte[CipherSuite.MaxHashLength];
        Span<byte> expected = stackalloc byte[suite.HashLength];
        KeySchedule.FinishedVerifyData(suite, peerSecret, transcript.Current(hash), expected);
        if (!CryptographicOperations.FixedTimeEquals(verifyData, expected))
        {
            throw new TlsAlertException(AlertDescription.DecryptError, "The peer's Finished does not fit the handshake.");
        }
    }
}
