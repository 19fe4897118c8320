namespace KTls.Handshake.Tests;

/// <summary>The client's dummy change_cipher_spec (RFC 8446 §D.4): one, before whatever it seals first.</summary>
public sealed class ChangeCipherSpecTests
{
    [Fact]
    public void An_alert_under_the_handshake_keys_comes_after_a_change_cipher_spec()
    {
        using ScriptedServer server = ScriptedServer.After(Wire.HandshakeType.ServerHello);
        server.TakeOutput();
        Assert.Throws<TlsAlertException>(() => server.SendSealed(server.Certificate()));
        AssertSent(server, ContentType.ChangeCipherSpec, ContentType.ApplicationData);
    }

    [Fact]
    public void The_last_flight_comes_after_a_change_cipher_spec()
    {
        using ScriptedServer server = ScriptedServer.After(Wire.HandshakeType.CertificateVerify);
        server.TakeOutput();
        server.SendSealed(server.Finished());
        AssertSent(server, ContentType.ChangeCipherSpec, ContentType.ApplicationData);
    }

    /// <summary>It went out before the second ClientHello.</summary>
    [Fact]
    public void After_a_HelloRetryRequest_it_is_not_repeated()
    {
        using var server = new ScriptedServer();
        server.SendPlain(ContentType.Handshake, server.HelloRetryRequest().ToMessage());
        AssertSent(server, ContentType.ChangeCipherSpec, ContentType.Handshake);

        using var retried = new ScriptedServer();
        retried.SendRetry(retried.HelloRetryRequest());
        retried.Hello = retried.ServerHello(NamedGroup.Secp256r1);
        retried.SendHello(isP256: true);
        Assert.Throws<TlsAlertException>(() => retried.SendSealed(retried.Certificate()));
        AssertSent(retried, ContentType.ApplicationData);
    }

    private static void AssertSent(ScriptedServer server, params ContentType[] types) =>
        Assert.Equal(types, server.TakeOutput().Select(record => (ContentType)record[0]));
}
