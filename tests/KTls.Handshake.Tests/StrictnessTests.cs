using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests;

/// <summary>Rules of RFC 8446 that concern what a peer must not do, and limits of our own messages.</summary>
public sealed class StrictnessTests
{
    /// <summary>A second ClientHello with the cookie and all the rest does not fit in an extension block.</summary>
    [Theory]
    [InlineData(65_440)]
    [InlineData(65_452)]
    public void A_cookie_that_does_not_fit_in_a_ClientHello_is_refused(int length)
    {
        using var server = new ScriptedServer();
        ServerHelloMessage request = server.HelloRetryRequest();
        request.Remove(ExtensionType.KeyShare);
        request.Set(ExtensionType.Cookie, Tls.Vector16(new byte[length]));
        server.AssertAlert(AlertDescription.IllegalParameter, () =>
        {
            foreach (byte[] part in request.ToMessage().Chunk(RecordHeader.MaxPlaintext))
            {
                server.SendPlain(ContentType.Handshake, part);
            }
        });
    }

    [Fact]
    public void A_large_cookie_that_fits_comes_back()
    {
        using var server = new ScriptedServer();
        byte[] cookie = Tls.Extension((int)ExtensionType.Cookie, Tls.Vector16([.. Enumerable.Range(0, 60_000).Select(i => (byte)(i % 251))]));
        ServerHelloMessage request = server.HelloRetryRequest();
        request.Remove(ExtensionType.KeyShare);
        request.Set(ExtensionType.Cookie, cookie[4..]);
        foreach (byte[] part in request.ToMessage().Chunk(RecordHeader.MaxPlaintext))
        {
            server.SendPlain(ContentType.Handshake, part);
        }

        byte[] second = Tls.Concat([.. server.TakeOutput().Where(record => record[0] == (byte)ContentType.Handshake).Select(record => record[RecordHeader.Size..])]);
        Assert.True(second.AsSpan().IndexOf(cookie) > 0);
    }

    /// <summary>RFC 8446 §D.5: SSL 3.0 must end in protocol_version, whatever else is offered.</summary>
    [Fact]
    public void A_ClientHello_of_SSL_3_is_refused()
    {
        using var client = new ScriptedClient();
        client.Hello.LegacyVersion = 0x0300;
        client.AssertAlert(AlertDescription.ProtocolVersion, client.SendHello);
    }

    /// <summary>RFC 8446 §D.5, the client's side.</summary>
    [Fact]
    public void A_ServerHello_of_SSL_3_is_refused()
    {
        using var server = new ScriptedServer();
        server.Hello.LegacyVersion = 0x0300;
        server.AssertAlert(AlertDescription.ProtocolVersion, () => server.SendPlain(ContentType.Handshake, server.Hello.ToMessage()));
    }

    /// <summary>RFC 8446 §4.2.9: pre_shared_key without psk_key_exchange_modes must end the handshake.</summary>
    [Fact]
    public void A_pre_shared_key_without_modes_is_a_missing_extension()
    {
        using var client = new ScriptedClient();
        client.Hello.Add((int)ExtensionType.PreSharedKey, ClientHelloMutationTests.Psk());
        client.AssertAlert(AlertDescription.MissingExtension, client.SendHello);
    }

    /// <summary>RFC 8446 §4.1.2: the second ClientHello's list of shares is exactly the one that was asked for.</summary>
    [Fact]
    public void A_second_ClientHello_without_any_share_is_illegal()
    {
        using ScriptedClient client = ScriptedClient.ToBeRetried();
        client.GetRetried();
        client.Hello.SetShares();
        client.AssertAlert(AlertDescription.IllegalParameter, client.SendHello);
    }

    /// <summary>RFC 8446 §4.2.1: a version that was not offered, or one before TLS 1.3, in the server's supported_versions.</summary>
    [Theory]
    [InlineData(0x0303)]
    [InlineData(0x0305)]
    [InlineData(0x7f1c)]
    public void A_version_that_was_not_offered_is_illegal(int version)
    {
        using var server = new ScriptedServer();
        server.Hello.Set(ExtensionType.SupportedVersions, Tls.U16(version));
        server.AssertAlert(AlertDescription.IllegalParameter, () => server.SendPlain(ContentType.Handshake, server.Hello.ToMessage()));
    }

    /// <summary>RFC 8446 §4.2.8, §6.2: a ServerHello without pre_shared_key must have a key_share.</summary>
    [Fact]
    public void A_ServerHello_without_a_share_lacks_an_extension()
    {
        using var server = new ScriptedServer();
        server.Hello.Remove(ExtensionType.KeyShare);
        server.AssertAlert(AlertDescription.MissingExtension, () => server.SendPlain(ContentType.Handshake, server.Hello.ToMessage()));
    }

    /// <summary>RFC 8446 §4.3.1: extensions that we know and that do not belong in EncryptedExtensions.</summary>
    [Theory]
    [InlineData(ExtensionType.KeyShare)]
    [InlineData(ExtensionType.SupportedVersions)]
    [InlineData(ExtensionType.SignatureAlgorithms)]
    public void A_forbidden_extension_in_EncryptedExtensions_is_illegal(object type)
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.ServerHello);
        server.AssertAlert(AlertDescription.IllegalParameter, () => server.SendSealed(ScriptedServer.EncryptedExtensions(Tls.Extension((int)(ExtensionType)type, [3, 4]))));
    }

    /// <summary>RFC 8446 §4.2: an answer to an extension that was not sent.</summary>
    [Fact]
    public void A_server_name_that_nobody_sent_is_not_acknowledged()
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.ServerHello, new ClientHandshakeOptions());
        server.AssertAlert(AlertDescription.UnsupportedExtension, () => server.SendSealed(ScriptedServer.EncryptedExtensions(Tls.Extension(0))));
    }

    /// <summary>RFC 6066 §3: the server's extension_data is empty.</summary>
    [Fact]
    public void An_acknowledged_server_name_has_no_body()
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.ServerHello);
        server.AssertAlert(AlertDescription.DecodeError, () => server.SendSealed(ScriptedServer.EncryptedExtensions(Tls.Extension(0, [0]))));
    }

    /// <summary>RFC 8446 §4.2.7: a list of numbers, not empty.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("0000")]
    [InlineData("000100")]
    [InlineData("0002001d00")]
    public void The_servers_groups_are_a_list(string body)
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.ServerHello);
        server.AssertAlert(AlertDescription.DecodeError, () => server.SendSealed(ScriptedServer.EncryptedExtensions(Tls.Extension(10, Convert.FromHexString(body)))));
    }

    /// <summary>RFC 8446 §4.2.3, §4.3.2</summary>
    [Theory]
    [InlineData("")]
    [InlineData("0000")]
    [InlineData("0003040308")]
    public void The_servers_signature_schemes_are_a_list(string body)
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.EncryptedExtensions);
        byte[] request = Tls.Message(HandshakeType.CertificateRequest, [0], Tls.Vector16(Tls.Extension(13, Convert.FromHexString(body))));
        server.AssertAlert(AlertDescription.DecodeError, () => server.SendSealed(request));
    }

    /// <summary>RFC 8446 §5.4: padding does not lift the limit of 2^14 + 1 bytes inside a record.</summary>
    [Theory]
    [InlineData(RecordHeader.MaxPlaintext, 1)]
    [InlineData(1, RecordHeader.MaxPlaintext)]
    [InlineData(0, RecordHeader.MaxPlaintext + 200)]
    public void Content_and_padding_over_the_limit_are_record_overflow(int content, int padding)
    {
        TlsAlertException e = Assert.Throws<TlsAlertException>(() => PostHandshakeTests.OpenSealed([.. new byte[content], 23, .. new byte[padding]]));
        Assert.Equal(AlertDescription.RecordOverflow, e.Description);
    }

    /// <summary>RFC 8446 §5.1: no other record comes in the middle of a handshake message.</summary>
    [Fact]
    public void A_warning_inside_a_message_is_unexpected()
    {
        using ScriptedClient client = ScriptedClient.BeforeFinished();
        client.SendSealed(client.Finished()[..10]);
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendSealed(ContentType.Alert, [1, 90]));
    }

    /// <summary>RFC 8446 §5.1, while early data is skipped after a HelloRetryRequest.</summary>
    [Fact]
    public void Early_data_inside_the_second_ClientHello_is_unexpected()
    {
        using ScriptedClient client = ScriptedClient.ToBeRetried();
        client.Hello.Add((int)ExtensionType.EarlyData);
        client.GetRetried();
        client.Hello.Remove(ExtensionType.EarlyData);
        client.SendPlain(ContentType.Handshake, client.Hello.ToMessage()[..10]);
        client.AssertAlert(AlertDescription.UnexpectedMessage, () => client.SendPlain(ContentType.ApplicationData, new byte[100]));
    }

    /// <summary>RFC 8446 §4.2.10: early data is sealed, so a full record of it is longer than one in the clear may be.</summary>
    [Fact]
    public void A_full_record_of_early_data_is_skipped_before_the_second_ClientHello()
    {
        using ScriptedClient client = ScriptedClient.ToBeRetried();
        client.Hello.Add((int)ExtensionType.EarlyData);
        client.GetRetried();
        client.SendPlain(ContentType.ApplicationData, new byte[RecordHeader.MaxPlaintext + 1 + 16]);
        Assert.Equal(HandshakeStatus.NeedsRecord, client.Server.Status);
    }

    /// <summary>RFC 8446 §5.1, where there is no early data to skip.</summary>
    [Fact]
    public void A_record_in_the_clear_over_the_limit_is_record_overflow()
    {
        using var client = new ScriptedClient();
        client.AssertAlert(AlertDescription.RecordOverflow, () => client.SendPlain(ContentType.ApplicationData, new byte[RecordHeader.MaxPlaintext + 1]));
    }

    /// <summary>A caller's mistake is an ArgumentException, and no IndexOutOfRangeException.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("16")]
    [InlineData("16030100")]
    public void Less_than_a_header_is_the_callers_fault(string bytes)
    {
        using var client = new ScriptedClient();
        Assert.ThrowsAny<ArgumentException>(() => client.Send(Convert.FromHexString(bytes)));
    }

    /// <summary>RFC 8446 §4.6.1: lifetime, age, nonce, a ticket of at least one byte, extensions.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("00000e10")]
    [InlineData("00000e1001020304000000" + "0000")]
    [InlineData("00000e1001020304000001aa0000ff")]
    public void A_malformed_ticket_is_a_decode_error(string body)
    {
        using TlsSession session = PostHandshakeTests.Session(isServer: false);
        using PostHandshakeReader reader = session.CreatePostHandshakeReader();
        reader.Append(Tls.Message(HandshakeType.NewSessionTicket, Convert.FromHexString(body)));
        TlsAlertException e = Assert.Throws<TlsAlertException>(() => reader.TryRead(out _));
        Assert.Equal(AlertDescription.DecodeError, e.Description);
    }

    /// <summary>RFC 8446 §4.4.2: a certificate on the wire is one DER structure and nothing else.</summary>
    [Theory]
    [InlineData("PEM")]
    [InlineData("DER and a byte")]
    public void A_certificate_is_DER(string form)
    {
        using ScriptedServer server = ScriptedServer.After(HandshakeType.EncryptedExtensions);
        byte[] certificate = form == "PEM"
            ? System.Text.Encoding.ASCII.GetBytes(server.Credential.Certificate.ExportCertificatePem())
            : [.. server.Credential.Chain[0], 0];
        server.AssertAlert(AlertDescription.BadCertificate, () => server.SendSealed(ScriptedServer.Certificate(certificate)));
    }

    /// <summary>A secret that was zeroed must not pass for one.</summary>
    [Fact]
    public void A_disposed_session_gives_no_keys()
    {
        TlsSession session = PostHandshakeTests.Session(isServer: true);
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(session.GetSendKeys);
        Assert.Throws<ObjectDisposedException>(session.GetReceiveKeys);
        Assert.Throws<ObjectDisposedException>(session.UpdateSendKeys);
        Assert.Throws<ObjectDisposedException>(session.UpdateReceiveKeys);
    }
}
