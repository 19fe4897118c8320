using KTls.Handshake;
using KTls.Fuzz.Handshakes;
using KTls.Handshake.Wire;

namespace KTls.Fuzz.Parsers;

/// <summary>The other handshake messages.</summary>
internal static class MessageTargets
{
    public static IEnumerable<Target> All { get; } =
    [
        new(nameof(CertificateMessage), ReadCertificate),
        new("CertificateMessage12", ReadCertificate12),
        new("CertificateStatus12", input => CertificateMessage.ReadStatus12(Message.Of(HandshakeType.CertificateStatus, input))),
        new(nameof(ClientCertificateRequest), input => ReadCertificateRequest(input, isTls13: true)),
        new("ClientCertificateRequest12", input => ReadCertificateRequest(input, isTls13: false)),
        new(nameof(CertificateVerify), input => CertificateVerify.Read(Message.Of(HandshakeType.CertificateVerify, input))),
        new(nameof(ServerKeyExchange), ReadServerKeyExchange),
        new(nameof(ClientKeyExchange), input => ClientKeyExchange.Read(Message.Of(HandshakeType.ClientKeyExchange, input))),
        new(nameof(NewSessionTicket), input => NewSessionTicket.Read(Message.Of(HandshakeType.NewSessionTicket, input))),
        new("NewSessionTicket12", input => NewSessionTicket.Read12(Message.Of(HandshakeType.NewSessionTicket, input))),
        new(nameof(KeyUpdate), ReadKeyUpdate) { MaxLength = 16 },
        new(nameof(TlsAlert), ReadAlert) { MaxLength = 16 },
    ];

    private static void ReadCertificate(ReadOnlySpan<byte> input)
    {
        bool isStatusRequested = (Message.TakeChoice(ref input) & 1) != 0;
        byte[][] chain = CertificateMessage.Read(Message.Of(HandshakeType.Certificate, input), HandshakeLimits.Default.MaxChainLength, isStatusRequested, out byte[] status);
        BrokenPromiseException.ThrowUnless(chain.Length <= HandshakeLimits.Default.MaxChainLength, "a chain is no longer than the limit");
        BrokenPromiseException.ThrowUnless(status.Length == 0 || isStatusRequested, "only a status that was requested is taken");
        using var writer = new WireWriter();
        CertificateMessage.Write(writer, default, chain, status);
        byte[][] again = CertificateMessage.Read(writer.WrittenSpan, chain.Length, isStatusRequested, out byte[] statusAgain);
        BrokenPromiseException.ThrowUnless(AreEqual(chain, again) && (chain.Length == 0 || status.AsSpan().SequenceEqual(statusAgain)), "a chain is read as it was written");
    }

    private static void ReadCertificate12(ReadOnlySpan<byte> input)
    {
        byte[][] chain = CertificateMessage.Read12(Message.Of(HandshakeType.Certificate, input), HandshakeLimits.Default.MaxChainLength);
        using var writer = new WireWriter();
        CertificateMessage.Write12(writer, chain);
        BrokenPromiseException.ThrowUnless(writer.WrittenSpan[4..].SequenceEqual(input), "a chain is written as it was read");
    }

    private static void ReadCertificateRequest(ReadOnlySpan<byte> input, bool isTls13)
    {
        byte[] message = Message.Of(HandshakeType.CertificateRequest, input);
        ClientCertificateRequest request = isTls13 ? ClientCertificateRequest.Read(message) : ClientCertificateRequest.Read12(message);
        foreach (CertificateCredential credential in TestKeys.All)
        {
            request.Accepts(credential);
        }

        using var writer = new WireWriter();
        if (isTls13)
        {
            ClientCertificateRequest.Write(writer, [.. request.SignatureSchemes], request.CertificateAuthorities);
        }
        else
        {
            ClientCertificateRequest.Write12(writer, [.. request.SignatureSchemes], request.CertificateAuthorities);
        }

        ClientCertificateRequest again = isTls13 ? ClientCertificateRequest.Read(writer.WrittenSpan) : ClientCertificateRequest.Read12(writer.WrittenSpan);
        BrokenPromiseException.ThrowUnless(
            request.SignatureSchemes.SequenceEqual(again.SignatureSchemes) && AreEqual([.. request.CertificateAuthorities], [.. again.CertificateAuthorities]),
            "a request is read as it was written");
    }

    private static void ReadServerKeyExchange(ReadOnlySpan<byte> input)
    {
        ServerKeyExchange exchange = ServerKeyExchange.Read(Message.Of(HandshakeType.ServerKeyExchange, input));
        using var writer = new WireWriter();
        ServerKeyExchange.Write(writer, exchange.Parameters, exchange.Scheme, exchange.Signature);
        BrokenPromiseException.ThrowUnless(writer.WrittenSpan[4..].SequenceEqual(input), "a ServerKeyExchange is written as it was read");
    }

    private static void ReadKeyUpdate(ReadOnlySpan<byte> input)
    {
        byte[] message = Message.Of(HandshakeType.KeyUpdate, input);
        bool isRequested = KeyUpdate.ReadUpdateRequested(message);
        BrokenPromiseException.ThrowUnless(KeyUpdate.Create(isRequested).AsSpan().SequenceEqual(message), "a KeyUpdate is written as it was read");
    }

    private static void ReadAlert(ReadOnlySpan<byte> input)
    {
        AlertDescription description = TlsAlert.Read(input);
        BrokenPromiseException.ThrowUnless(description != AlertDescription.CloseNotify || !TlsAlert.IsWarning(input), "close_notify ends the connection whatever its level");
        TlsAlert.Create(description);
    }

    private static bool AreEqual(byte[][] a, byte[][] b) => a.Length == b.Length && a.Zip(b).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));
}
