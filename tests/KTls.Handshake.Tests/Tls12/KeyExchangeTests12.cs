using System.Security.Authentication;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests.Tls12;

/// <summary>ServerKeyExchange (RFC 8422 §5.4): what is signed, by whom, and with what.</summary>
public sealed class KeyExchangeTests12
{
    [Fact]
    public void The_signature_covers_both_randoms_and_the_parameters()
    {
        foreach (int spoiled in new[] { 0, 31, 32, 63, 64, 65, 66, 67, 68, 99 })
        {
            using ScriptedServer12 server = AfterCertificate();
            byte[] signed = [.. server.ClientHello.Random, .. server.Hello.Random, .. server.Parameters()];
            Assert.Equal(100, signed.Length);
            signed[spoiled] ^= 1;
            server.AssertAlert(AlertDescription.DecryptError, () => server.SendMessages(server.ServerKeyExchange(signed: signed)));
        }

        using ScriptedServer12 swapped = AfterCertificate();
        byte[] other = [.. swapped.Hello.Random, .. swapped.ClientHello.Random, .. swapped.Parameters()];
        swapped.AssertAlert(AlertDescription.DecryptError, () => swapped.SendMessages(swapped.ServerKeyExchange(signed: other)));
    }

    [Fact]
    public void A_signature_of_another_key_is_a_decrypt_error()
    {
        using ScriptedServer12 server = AfterCertificate();
        using var impostor = new ScriptedServer12(credential: TestCertificates.Ecdsa384);
        byte[] content = [.. server.ClientHello.Random, .. server.Hello.Random, .. server.Parameters()];
        byte[] message = impostor.ServerKeyExchange(server.Parameters(), SignatureScheme.EcdsaSecp256r1Sha256, content);
        server.AssertAlert(AlertDescription.DecryptError, () => server.SendMessages(message));
    }

    /// <summary>The scheme must be one that was offered, go with the key, and the key with the suite (RFC 8422 §2, RFC 5246 §7.4.3).</summary>
    [Theory]
    [InlineData("ecdsa", 0x0203)]
    [InlineData("ecdsa", 0x0804)]
    [InlineData("ecdsa", 0x0401)]
    [InlineData("ecdsa", 0x0807)]
    [InlineData("ecdsa", 0x0000)]
    [InlineData("rsa", 0x0201)]
    [InlineData("rsa", 0x0403)]
    [InlineData("rsa", 0x0809)]
    [InlineData("rsa", 0x0101)]
    public void A_scheme_that_does_not_go_with_key_and_suite_is_an_illegal_parameter(string credential, int scheme)
    {
        using ScriptedServer12 server = AfterCertificate(TestCertificates.ByName(credential));
        server.AssertAlert(AlertDescription.IllegalParameter, () => server.SendMessages(server.ServerKeyExchange(named: (SignatureScheme)scheme)));
    }

    /// <summary>In TLS 1.2 any hash goes with any curve (RFC 8446 §4.2.3).</summary>
    [Theory]
    [InlineData("ecdsa", SignatureScheme.EcdsaSecp384r1Sha384)]
    [InlineData("ecdsa384", SignatureScheme.EcdsaSecp256r1Sha256)]
    [InlineData("rsa", SignatureScheme.RsaPkcs1Sha256)]
    [InlineData("rsa", SignatureScheme.RsaPssRsaeSha512)]
    public void Any_scheme_of_the_key_will_do(string credential, SignatureScheme scheme)
    {
        using ScriptedServer12 server = AfterCertificate(TestCertificates.ByName(credential));
        server.SendMessages(server.ServerKeyExchange(scheme: scheme));
        Assert.Equal(HandshakeStatus.NeedsRecord, server.Client.Status);
    }

    /// <summary>A certificate whose key is not of the suite's kind: what it signs is not taken.</summary>
    [Fact]
    public void A_certificate_of_the_other_kind_is_an_illegal_parameter()
    {
        using var server = new ScriptedServer12();
        server.SendHello();
        server.SendMessages(ScriptedClient12.Certificate(TestCertificates.Rsa.Chain));
        using var rsa = new ScriptedServer12(credential: TestCertificates.Rsa);
        byte[] content = [.. server.ClientHello.Random, .. server.Hello.Random, .. server.Parameters()];
        byte[] message = rsa.ServerKeyExchange(server.Parameters(), SignatureScheme.RsaPssRsaeSha256, content);
        server.AssertAlert(AlertDescription.IllegalParameter, () => server.SendMessages(message));
    }

    [Theory]
    [InlineData(NamedGroup.X25519MLKem768, AlertDescription.IllegalParameter)]
    [InlineData(NamedGroup.X448, AlertDescription.IllegalParameter)]
    [InlineData(NamedGroup.Secp521r1, AlertDescription.IllegalParameter)]
    [InlineData((NamedGroup)0xff01, AlertDescription.IllegalParameter)]
    public void A_group_that_was_not_offered_for_TLS_1_2_is_an_illegal_parameter(object group, AlertDescription expected)
    {
        ClientHandshakeOptions options = new() { Groups = [NamedGroup.X25519MLKem768, NamedGroup.X25519, NamedGroup.Secp256r1] };
        using var server = new ScriptedServer12(options);
        server.SendHello();
        server.SendMessages(server.Certificate());
        byte[] parameters = server.Parameters((int)(NamedGroup)group);
        server.AssertAlert(expected, () => server.SendMessages(server.ServerKeyExchange(parameters)));
    }

    [Theory]
    [InlineData("01", AlertDescription.IllegalParameter)]
    [InlineData("02", AlertDescription.IllegalParameter)]
    [InlineData("00", AlertDescription.IllegalParameter)]
    public void Only_named_curves_are_taken(string type, AlertDescription expected)
    {
        using ScriptedServer12 server = AfterCertificate();
        byte[] parameters = server.Parameters();
        parameters[0] = Convert.FromHexString(type)[0];
        server.AssertAlert(expected, () => server.SendMessages(server.ServerKeyExchange(parameters)));
    }

    /// <summary>A share is looked at when the server has been trusted and its flight is over.</summary>
    [Theory]
    [InlineData((int)NamedGroup.X25519, "0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData((int)NamedGroup.X25519, "00")]
    [InlineData((int)NamedGroup.Secp256r1, "04")]
    [InlineData((int)NamedGroup.Secp256r1, "0200000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000")]
    public void A_bad_share_is_an_illegal_parameter(int group, string share)
    {
        using ScriptedServer12 server = AfterCertificate();
        server.SendMessages(server.ServerKeyExchange(server.Parameters(group, Convert.FromHexString(share))), ScriptedServer12.ServerHelloDone());
        server.AssertAlert(AlertDescription.IllegalParameter, server.Client.AcceptPeerCertificate);
    }

    [Fact]
    public void A_malformed_message_is_a_decode_error()
    {
        using ScriptedServer12 right = AfterCertificate();
        byte[] whole = right.ServerKeyExchange();
        for (int length = 0; length < whole.Length - 4; length++)
        {
            using ScriptedServer12 server = AfterCertificate();
            byte[] cut = Tls.WithBody(whole, body => body[..length]);
            server.AssertAlert(AlertDescription.DecodeError, () => server.SendMessages(cut));
        }

        using ScriptedServer12 longer = AfterCertificate();
        longer.AssertAlert(AlertDescription.DecodeError, () => longer.SendMessages(Tls.WithBody(whole, body => [.. body, 0])));
        using ScriptedServer12 done = AfterCertificate();
        done.SendMessages(done.ServerKeyExchange());
        done.AssertAlert(AlertDescription.DecodeError, () => done.SendMessages(Tls.Message(HandshakeType.ServerHelloDone, [0])));
    }

    [Theory]
    [InlineData("000000", AlertDescription.DecodeError)]
    [InlineData("000003000000", AlertDescription.DecodeError)]
    [InlineData("000004000001", AlertDescription.DecodeError)]
    [InlineData("00000400000130", AlertDescription.BadCertificate)]
    public void A_bad_certificate_ends_in_its_alert(string body, AlertDescription expected)
    {
        using var server = new ScriptedServer12();
        server.SendHello();
        server.AssertAlert(expected, () => server.SendMessages(Tls.Message(HandshakeType.Certificate, Convert.FromHexString(body))));
    }

    [Fact]
    public void A_chain_over_the_limit_is_a_bad_certificate()
    {
        using var server = new ScriptedServer12();
        server.SendHello();
        byte[] message = ScriptedClient12.Certificate([.. Enumerable.Repeat(TestCertificates.Ecdsa.Chain[0], 17)]);
        server.AssertAlert(AlertDescription.BadCertificate, () => server.SendMessages(message));
    }

    private static ScriptedServer12 AfterCertificate(CertificateCredential? credential = null)
    {
        var server = new ScriptedServer12(credential: credential);
        server.SendHello();
        server.SendMessages(server.Certificate());
        return server;
    }
}
