using System.Security.Authentication;
using KTls.Handshake.Wire;

namespace KTls.Handshake.Tests.Tls12;

/// <summary>The order of what a server of TLS 1.2 sends (RFC 5246 §7.3): anything else ends the handshake.</summary>
public sealed class ClientOrderTests
{
    // The client's states, and what each takes beside a HelloRequest.
    private static readonly Dictionary<string, HandshakeType[]> Expected = new()
    {
        ["hello"] = [HandshakeType.ServerHello],
        ["certificate"] = [HandshakeType.Certificate],
        ["key exchange"] = [HandshakeType.ServerKeyExchange],
        ["status or key exchange"] = [HandshakeType.CertificateStatus, HandshakeType.ServerKeyExchange],
        ["key exchange after status"] = [HandshakeType.ServerKeyExchange],
        ["request or done"] = [HandshakeType.CertificateRequest, HandshakeType.ServerHelloDone],
        ["done"] = [HandshakeType.ServerHelloDone],
        ["ticket"] = [HandshakeType.NewSessionTicket],
        ["change"] = [],
        ["change after the ticket"] = [],
    };

    public static TheoryData<string> States => [.. Expected.Keys];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_handshake_in_the_right_order_is_complete(bool hasTicket)
    {
        using ScriptedServer12 server = At(hasTicket ? "change after the ticket" : "change");
        server.SendChangeCipherSpec();
        server.SendFinished();
        Assert.Equal(HandshakeStatus.Complete, server.Client.Status);
        using TlsSession session = server.Client.TakeSession();
        using RecordKeys keys = session.GetSendKeys();
        Assert.Equal(1UL, keys.Sequence);
        using ClientSession? ticket = session.TakeTicket();
        Assert.Equal(hasTicket, ticket is not null);
        Assert.Null(session.TakeTicket());
    }

    [Theory]
    [MemberData(nameof(States))]
    public void Every_other_message_is_unexpected(string state)
    {
        foreach (int type in Enumerable.Range(1, 255).Where(type => !Expected[state].Contains((HandshakeType)type)))
        {
            using ScriptedServer12 server = At(state);
            server.AssertAlert(AlertDescription.UnexpectedMessage, () => server.SendMessages(Tls.Message((HandshakeType)type, new byte[12])));
        }
    }

    [Theory]
    [MemberData(nameof(States))]
    public void A_change_cipher_spec_comes_where_it_is_due_and_nowhere_else(string state)
    {
        using ScriptedServer12 server = At(state);
        if (Expected[state].Length == 0)
        {
            server.SendChangeCipherSpec();
            Assert.Equal(HandshakeStatus.NeedsRecord, server.Client.Status);
            server.AssertAlert(AlertDescription.BadRecordMac, server.SendChangeCipherSpec);
        }
        else
        {
            server.AssertAlert(AlertDescription.UnexpectedMessage, server.SendChangeCipherSpec);
        }
    }

    /// <summary>RFC 5246 §7.4.1.1: a server may wish for what is under way; it is not part of the transcript.</summary>
    [Theory]
    [MemberData(nameof(States))]
    public void A_HelloRequest_is_ignored_a_few_times(string state)
    {
        byte[] request = Tls.Message(HandshakeType.HelloRequest);
        using ScriptedServer12 server = At(state);
        for (int i = 0; i < HandshakeLimits.Default.MaxWarnings; i++)
        {
            server.SendPlain(ContentType.Handshake, request);
        }

        server.AssertAlert(AlertDescription.UnexpectedMessage, () => server.SendPlain(ContentType.Handshake, request));
        using ScriptedServer12 longer = At(state);
        longer.AssertAlert(AlertDescription.UnexpectedMessage, () => longer.SendPlain(ContentType.Handshake, Tls.Message(HandshakeType.HelloRequest, [0])));
    }

    [Fact]
    public void A_handshake_with_a_HelloRequest_in_it_is_complete()
    {
        using var server = new ScriptedServer12();
        byte[] request = Tls.Message(HandshakeType.HelloRequest);
        server.SendPlain(ContentType.Handshake, request);
        server.SendHello();
        server.SendPlain(ContentType.Handshake, request);
        server.SendMessages(server.Certificate(), server.ServerKeyExchange(), ScriptedServer12.ServerHelloDone());
        server.Client.AcceptPeerCertificate();
        server.ReadFlight();
        server.SendPlain(ContentType.Handshake, request);
        server.SendChangeCipherSpec();
        server.SendFinished();
        Assert.Equal(HandshakeStatus.Complete, server.Client.Status);
    }

    [Fact]
    public void A_HelloRequest_between_the_change_and_Finished_is_unexpected()
    {
        using ScriptedServer12 server = At("change");
        server.SendChangeCipherSpec();
        server.AssertAlert(AlertDescription.UnexpectedMessage, () => server.SendSealed(ContentType.Handshake, Tls.Message(HandshakeType.HelloRequest)));
    }

    /// <summary>A client of TLS 1.3, too, has nothing to do with HelloRequests once the version is known.</summary>
    [Fact]
    public void A_HelloRequest_before_the_version_is_known_is_for_clients_of_TLS_1_2()
    {
        byte[] request = Tls.Message(HandshakeType.HelloRequest);
        using var both = new ScriptedServer12(ScriptedServer12.Connect(SslProtocols.Tls12 | SslProtocols.Tls13));
        both.SendPlain(ContentType.Handshake, request);
        Assert.Equal(HandshakeStatus.NeedsRecord, both.Client.Status);
        using var newer = new ScriptedServer12(ScriptedServer12.Connect(SslProtocols.Tls13));
        newer.AssertAlert(AlertDescription.UnexpectedMessage, () => newer.SendPlain(ContentType.Handshake, request));
    }

    [Fact]
    public void Finished_without_a_change_cipher_spec_is_unexpected()
    {
        using ScriptedServer12 server = At("change");
        byte[] finished = server.Finished();
        server.AssertAlert(AlertDescription.UnexpectedMessage, () => server.SendPlain(ContentType.Handshake, finished));
    }

    [Fact]
    public void No_message_goes_on_across_the_change_nor_comes_before_the_answer()
    {
        using ScriptedServer12 early = At("done");
        byte[] done = [.. ScriptedServer12.ServerHelloDone(), (byte)HandshakeType.Finished];
        early.AssertAlert(AlertDescription.UnexpectedMessage, () => early.SendMessages(done));

        using ScriptedServer12 cut = At("change");
        cut.SendPlain(ContentType.Handshake, [(byte)HandshakeType.Finished, 0]);
        cut.AssertAlert(AlertDescription.UnexpectedMessage, cut.SendChangeCipherSpec);
    }

    [Fact]
    public void A_wrong_Finished_ends_in_its_alert()
    {
        using ScriptedServer12 changed = AfterChange();
        byte[] finished = changed.Finished();
        finished[^1] ^= 1;
        changed.AssertAlert(AlertDescription.DecryptError, () => changed.SendSealed(ContentType.Handshake, finished));

        using ScriptedServer12 shorter = AfterChange();
        byte[] cut = Tls.WithBody(shorter.Finished(), body => body[..^1]);
        shorter.AssertAlert(AlertDescription.DecodeError, () => shorter.SendSealed(ContentType.Handshake, cut));

        using ScriptedServer12 followed = AfterChange();
        byte[] two = [.. followed.Finished(), 0];
        followed.AssertAlert(AlertDescription.UnexpectedMessage, () => followed.SendSealed(ContentType.Handshake, two));
    }

    /// <summary>The client's own Finished does not pass for the server's.</summary>
    [Fact]
    public void A_reflected_Finished_is_a_decrypt_error()
    {
        using ScriptedServer12 server = AfterChange();
        byte[] own = server.Find(HandshakeType.Finished)!;
        server.AssertAlert(AlertDescription.DecryptError, () => server.SendSealed(ContentType.Handshake, own));
    }

    /// <summary>A TLS 1.3 server may send change_cipher_spec before anything else; who offers TLS 1.2 alone knows none.</summary>
    [Fact]
    public void A_change_cipher_spec_before_ServerHello_is_for_clients_of_TLS_1_3()
    {
        using var both = new ScriptedServer12(ScriptedServer12.Connect(SslProtocols.Tls12 | SslProtocols.Tls13));
        both.SendChangeCipherSpec();
        Assert.Equal(HandshakeStatus.NeedsRecord, both.Client.Status);
    }

    private static ScriptedServer12 AfterChange()
    {
        ScriptedServer12 server = At("change");
        server.SendChangeCipherSpec();
        return server;
    }

    private static ScriptedServer12 At(string state)
    {
        bool hasStatus = state.Contains("status", StringComparison.Ordinal);
        bool hasTicket = state.Contains("ticket", StringComparison.Ordinal);
        var server = new ScriptedServer12(new ClientHandshakeOptions { ServerName = "localhost", Protocols = SslProtocols.Tls12, RequestOcspResponse = hasStatus });
        if (hasStatus)
        {
            server.Hello.Add((int)ExtensionType.StatusRequest);
        }

        if (hasTicket)
        {
            server.Hello.Add((int)ExtensionType.SessionTicket);
        }

        string[] steps = ["hello", "certificate", "key exchange", "request or done", "done"];
        int step = Array.IndexOf(steps, hasStatus ? "key exchange" : state);
        if (step < 0)
        {
            server.Exchange();
            if (state == "change after the ticket")
            {
                server.SendMessages(ScriptedServer12.Ticket(100));
            }

            return server;
        }

        Action[] actions =
        [
            server.SendHello,
            () => server.SendMessages(server.Certificate()),
            () => server.SendMessages(server.ServerKeyExchange()),
            () => server.SendMessages(ScriptedServer12.CertificateRequest(SignatureScheme.EcdsaSecp256r1Sha256)),
        ];
        foreach (Action action in actions.Take(step))
        {
            action();
        }

        if (state == "key exchange after status")
        {
            server.SendMessages(ScriptedServer12.CertificateStatus([1, 2, 3]));
        }

        return server;
    }
}
