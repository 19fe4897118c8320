using System.Security.Cryptography;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Resumption;

/// <summary>A server's tickets: making them, and deciding whether one may be resumed.</summary>
internal static class ServerTickets
{
    // A ticket comes back in a ClientHello, which other servers and middleboxes want small. A client's chain may not fit.
    private const int MaxStateSize = 12 * 1024;

    /// <summary>Seals a session; null when it is too large for a ticket.</summary>
    public static byte[]? Seal(TicketKeyRing ring, SessionState state, ClockReading reading = default)
    {
        using var writer = new WireWriter(512);
        state.Write(writer);
        return writer.Length <= MaxStateSize ? ring.Seal(writer.WrittenSpan, reading) : null;
    }

    /// <summary>The session of a ticket, when this server may resume it for this client now; else null.</summary>
    public static SessionState? TryOpen(ReadOnlySpan<byte> ticket, ServerHandshakeOptions options, ClientHello hello, bool isTls13, ClockReading reading)
    {
        if (options.Tickets?.TryOpen(ticket, reading) is not { } plain)
        {
            return null;
        }

        try
        {
            var reader = new WireReader(plain);
            SessionState? state = SessionState.Read(ref reader);
            if (state is not null && IsUsable(state, options, hello, isTls13, reading.On(options.Clock)))
            {
                return state;
            }

            state?.Dispose();
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
        }
    }

    /// <summary>The seconds that a ticket is good for, of a session whose peer has proved itself so long ago.</summary>
    public static uint Lifetime(ServerHandshakeOptions options, TimeSpan age)
    {
        TimeSpan left = SessionState.MaxAge - age;
        return (uint)Math.Max(0, Math.Min(options.TicketLifetime.TotalSeconds, left.TotalSeconds));
    }

    // What the first handshake proved holds for the same name, the same certificate and the same demand for a client's (RFC 8446
    // §4.6.1, RFC 6066 §3): a ticket of another server that shares our keys, or of another name, is not for this one.
    private static bool IsUsable(SessionState state, ServerHandshakeOptions options, ClientHello hello, bool isTls13, DateTimeOffset now)
    {
        return state.Suite.IsTls13 == isTls13
            && options.CipherSuites.Contains(state.Suite.Id)
            && string.Equals(state.ServerName, hello.ServerName, StringComparison.OrdinalIgnoreCase)
            && state.OwnCertificateHash.AsSpan().SequenceEqual(options.Credential.CertificateHash)
            && state.IsCertificateRequested == options.RequestClientCertificate
            && now - state.IssuedAt < options.TicketLifetime
            && now - state.AuthenticatedAt < SessionState.MaxAge;
    }
}
