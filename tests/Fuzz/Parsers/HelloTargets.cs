using System.Net.Security;
using System.Security.Authentication;
using KTls.Fuzz.Handshakes;
using KTls.Handshake;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Fuzz.Parsers;

/// <summary>The messages that negotiate.</summary>
internal static class HelloTargets
{
    private static readonly ExtensionType[] ExtensionTypes = Enum.GetValues<ExtensionType>();

    // Both versions with a client that knows all of it, and with one that has asked for nothing.
    private static readonly ExtensionType[][] AllowedExtensions = [ExtensionTypes, [ExtensionType.SupportedVersions, ExtensionType.KeyShare], []];

    public static IEnumerable<Target> All { get; } =
    [
        new(nameof(ClientHello), ReadClientHello) { Weight = 3 },
        new(nameof(ServerHello), ReadServerHello),
        new(nameof(EncryptedExtensions), ReadEncryptedExtensions),
        new(nameof(OfferedPsks), ReadOfferedPsks),
        new(nameof(ProtocolNameList), ReadProtocolNameList),
    ];

    private static void ReadClientHello(ReadOnlySpan<byte> input)
    {
        ClientHello hello = ClientHello.Read(Message.Of(HandshakeType.ClientHello, input));
        foreach (CipherSuite suite in CipherSuite.All)
        {
            hello.Offers(suite.Id);
        }

        foreach (SslProtocols protocols in (SslProtocols[])[SslProtocols.Tls13, SslProtocols.Tls12, SslProtocols.Tls12 | SslProtocols.Tls13])
        {
            foreach (CertificateCredential credential in TestKeys.All)
            {
                new ServerHandshakeOptions { Credential = credential, Protocols = protocols }.FindObstacle(hello);
            }
        }

        ProtocolNameList.Contains(hello.Protocols, "h2"u8);
        BrokenPromiseException.ThrowUnless(!hello.ServerName.Contains('\0', StringComparison.Ordinal), "a server name has no zeros");
        if (hello.HasPreSharedKey)
        {
            BrokenPromiseException.ThrowUnless(
                OfferedPsks.BindersOffset(hello.PreSharedKeys) == hello.BindersOffset - (hello.Message.Length - hello.PreSharedKeys.Length),
                "pre_shared_key ends the message");
            WalkPsks(hello.PreSharedKeys);
        }
    }

    private static void ReadServerHello(ReadOnlySpan<byte> input)
    {
        ServerHello hello = ServerHello.Read(Message.Of(HandshakeType.ServerHello, input));
        ServerHelloExtensions extensions = hello.Extensions;
        foreach (ExtensionType type in ExtensionTypes)
        {
            extensions.Has(type);
        }

        foreach (ExtensionType[] allowed in AllowedExtensions)
        {
            extensions.AllowOnly(allowed);
        }
    }

    private static void ReadEncryptedExtensions(ReadOnlySpan<byte> input)
    {
        byte choice = Message.TakeChoice(ref input);
        EncryptedExtensions extensions = EncryptedExtensions.Read(
            Message.Of(HandshakeType.EncryptedExtensions, input), isServerNameSent: (choice & 1) != 0, isRecordSizeLimitSent: (choice & 2) != 0);
        BrokenPromiseException.ThrowUnless(extensions.RecordSizeLimit is null or >= RecordSizeLimit.Minimum, "a record size limit is no less than the least");
        BrokenPromiseException.ThrowUnless(extensions.RecordSizeLimit is null || (choice & 2) != 0, "only what was offered is taken");
    }

    private static void ReadOfferedPsks(ReadOnlySpan<byte> input)
    {
        OfferedPsks.BindersOffset(input);
        WalkPsks(input);
    }

    private static void WalkPsks(ReadOnlySpan<byte> body)
    {
        var psks = new OfferedPsks(body);
        while (psks.TryRead(out ReadOnlySpan<byte> identity, out ReadOnlySpan<byte> binder))
        {
            BrokenPromiseException.ThrowUnless(!identity.IsEmpty && binder.Length >= 32, "an identity and a binder are as long as RFC 8446 §4.2.11 says");
        }
    }

    private static void ReadProtocolNameList(ReadOnlySpan<byte> input)
    {
        ProtocolNameList.Contains(ProtocolNameList.Read(input), "h2"u8);
        ReadOnlySpan<byte> one = ProtocolNameList.ReadOne(input);
        using var writer = new WireWriter();
        ProtocolNameList.Write(writer, [new SslApplicationProtocol(one.ToArray())]);
        BrokenPromiseException.ThrowUnless(writer.WrittenSpan[4..].SequenceEqual(input), "a list with one name is written as it was read");
    }
}
