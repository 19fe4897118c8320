using System.Buffers.Binary;
using System.Security.Authentication;

namespace KTls.Handshake.Tests.Resumption;

/// <summary>A client's sessions outside of handshakes: as bytes, and in the cache.</summary>
public sealed class ClientSessionTests
{
    // The times in an exported session stand behind version, lifetime, age_add, ticket; then version, suite, flags.
    private const int TimesOffset = 1 + 4 + 4 + 2 + TicketLength + 1 + 2 + 1;
    private const int TicketLength = 40;

    private readonly FakeClock _clock = new();

    public static TheoryData<SslProtocols> Protocols { get; } = [SslProtocols.Tls12, SslProtocols.Tls13];

    [Theory]
    [MemberData(nameof(Protocols))]
    public void An_exported_session_is_the_same_after_its_import(SslProtocols protocol)
    {
        using ClientSession session = Session(protocol);
        byte[] exported = session.Export();
        using ClientSession imported = ClientSession.TryImport(exported)!;
        Assert.Equal(exported, imported.Export());
        Assert.Equal((session.Protocol, session.CipherSuite, session.ServerName, session.ExpiresAt), (imported.Protocol, imported.CipherSuite, imported.ServerName, imported.ExpiresAt));
        Assert.Equal(session.State.Secret.Span.ToArray(), imported.State.Secret.Span.ToArray());
        Assert.Equal(session.Ticket.ToArray(), imported.Ticket.ToArray());
        Assert.Equal(session.State.PeerChain, imported.State.PeerChain);
        Assert.Equal(session.State.AuthenticatedAt, imported.State.AuthenticatedAt);
        Assert.Equal(session.State.IsExtendedMasterSecret, imported.State.IsExtendedMasterSecret);
        Assert.Equal(session.ObfuscatedAge(_clock.Now), imported.ObfuscatedAge(_clock.Now));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void Bytes_that_are_cut_or_grown_are_no_session(SslProtocols protocol)
    {
        using ClientSession session = Session(protocol);
        byte[] exported = session.Export();
        for (int length = 0; length < exported.Length; length++)
        {
            Assert.Null(ClientSession.TryImport(exported.AsSpan(0, length)));
        }

        Assert.Null(ClientSession.TryImport([.. exported, 0]));
    }

    /// <summary>Whatever comes in, it is a session that can be used, or none, and never another exception.</summary>
    [Theory]
    [MemberData(nameof(Protocols))]
    public void Changed_bytes_are_a_session_or_none(SslProtocols protocol)
    {
        using ClientSession session = Session(protocol);
        byte[] exported = session.Export();
        for (int i = 0; i < exported.Length; i++)
        {
            foreach (byte value in new byte[] { 0, 1, 0x7f, 0xff })
            {
                byte[] changed = [.. exported];
                changed[i] = value;
                if (ClientSession.TryImport(changed) is { } imported)
                {
                    using var client = new ClientHandshake(new ClientHandshakeOptions { ServerName = imported.ServerName, Session = imported, Clock = _clock });
                    Assert.NotEmpty(imported.State.PeerChain);
                    imported.Dispose();
                }
            }
        }
    }

    [Fact]
    public void A_session_without_a_certificate_or_with_a_time_beyond_all_times_is_none()
    {
        using ClientSession bare = Session(SslProtocols.Tls13, chain: []);
        Assert.Null(ClientSession.TryImport(bare.Export()));

        using ClientSession session = Session(SslProtocols.Tls13);
        foreach (int offset in new[] { TimesOffset, TimesOffset + 8 })
        {
            byte[] exported = session.Export();
            Assert.Equal(_clock.Now.ToUnixTimeMilliseconds(), BinaryPrimitives.ReadInt64BigEndian(exported.AsSpan(offset)));
            BinaryPrimitives.WriteInt64BigEndian(exported.AsSpan(offset), DateTimeOffset.MaxValue.ToUnixTimeMilliseconds());
            Assert.Null(ClientSession.TryImport(exported));
            BinaryPrimitives.WriteInt64BigEndian(exported.AsSpan(offset), -1);
            Assert.Null(ClientSession.TryImport(exported));
        }
    }

    /// <summary>However long a server says, seven days are the most (RFC 8446 §4.6.1).</summary>
    [Theory]
    [InlineData(SslProtocols.Tls13, 1u, 1)]
    [InlineData(SslProtocols.Tls13, uint.MaxValue, 604800)]
    [InlineData(SslProtocols.Tls12, uint.MaxValue, 604800)]
    [InlineData(SslProtocols.Tls12, 0u, 7200)]
    public void A_session_expires(SslProtocols protocol, uint lifetime, int expected)
    {
        using ClientSession session = Session(protocol, lifetime);
        Assert.Equal(_clock.Now + TimeSpan.FromSeconds(expected), session.ExpiresAt);
    }

    /// <summary>The client counts from the first handshake, too, whatever the server says.</summary>
    [Fact]
    public void A_session_that_was_renewed_for_seven_days_is_not_offered()
    {
        using ClientSession renewed = Session(SslProtocols.Tls13, begun: _clock.Now - TimeSpan.FromDays(7) + TimeSpan.FromMinutes(1));
        Assert.Equal(_clock.Now + TimeSpan.FromMinutes(1), renewed.ExpiresAt);
        Assert.True(Offers(renewed));
        _clock.Now += TimeSpan.FromMinutes(1);
        Assert.False(Offers(renewed));
    }

    /// <summary>The server may have another certificate by then, and is not to fail for the old one.</summary>
    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public void A_session_whose_certificate_has_expired_is_not_offered(SslProtocols protocol)
    {
        DateTimeOffset end = TestCertificates.Ecdsa.Certificate.NotAfter;
        _clock.Now = end - TimeSpan.FromSeconds(1);
        using ClientSession session = Session(protocol);
        Assert.True(Offers(session));
        _clock.Now = end;
        Assert.False(Offers(session));
    }

    /// <summary>A ticket that leaves no room for the rest of the ClientHello is not offered.</summary>
    [Theory]
    [InlineData(SslProtocols.Tls12, 16 * 1024, true)]
    [InlineData(SslProtocols.Tls12, (16 * 1024) + 1, false)]
    [InlineData(SslProtocols.Tls12, 65535, false)]
    [InlineData(SslProtocols.Tls13, 16 * 1024, true)]
    [InlineData(SslProtocols.Tls13, (16 * 1024) + 1, false)]
    [InlineData(SslProtocols.Tls13, 65535, false)]
    public void A_huge_ticket_is_not_offered(SslProtocols protocol, int length, bool isOffered)
    {
        using ClientSession session = Session(protocol, ticketLength: length);
        Assert.Equal(isOffered, Offers(session));
    }

    [Fact]
    public void The_age_is_hidden_and_wraps()
    {
        using ClientSession session = Session(SslProtocols.Tls13, ageAdd: 0xffffff00);
        Assert.Equal(0xffffff00u, session.ObfuscatedAge(_clock.Now));
        Assert.Equal(744u, session.ObfuscatedAge(_clock.Now + TimeSpan.FromSeconds(1)));

        // A clock that was set back does not make it negative.
        Assert.Equal(0xffffff00u, session.ObfuscatedAge(_clock.Now - TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void A_disposed_session_is_zeroed()
    {
        ClientSession session = Session(SslProtocols.Tls13);
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(session.Export);
    }

    [Fact]
    public void The_cache_hands_out_a_TLS_1_3_session_once_and_a_TLS_1_2_session_again()
    {
        var cache = new ClientSessionCache(clock: _clock);
        cache.Add("a", Session(SslProtocols.Tls13));
        Assert.Null(cache.Take("b"));
        using (ClientSession? taken = cache.Take("a"))
        {
            Assert.NotNull(taken);
        }

        Assert.Null(cache.Take("a"));
        cache.Add("a", Session(SslProtocols.Tls12));
        ClientSession first = cache.Take("a")!;
        first.Dispose();
        using ClientSession second = cache.Take("a")!;
        Assert.NotEmpty(second.Export());
    }

    [Fact]
    public void The_cache_keeps_eight_for_a_key_and_gives_the_newest()
    {
        var cache = new ClientSessionCache(clock: _clock);
        for (uint i = 1; i <= 10; i++)
        {
            cache.Add("a", Session(SslProtocols.Tls13, ageAdd: i));
        }

        var ages = new List<uint>();
        while (cache.Take("a") is { } session)
        {
            ages.Add(session.ObfuscatedAge(_clock.Now));
            session.Dispose();
        }

        Assert.Equal([10u, 9, 8, 7, 6, 5, 4, 3], ages);
    }

    [Fact]
    public void The_cache_forgets_the_oldest_server_and_what_is_over()
    {
        var cache = new ClientSessionCache(2, _clock);
        ClientSession oldest = Session(SslProtocols.Tls12);
        cache.Add("a", oldest);
        cache.Add("b", Session(SslProtocols.Tls12));
        cache.Add("c", Session(SslProtocols.Tls12, lifetime: 10));
        Assert.Null(cache.Take("a"));
        Assert.Throws<ObjectDisposedException>(oldest.Export);
        using (ClientSession? kept = cache.Take("b"))
        {
            Assert.NotNull(kept);
        }

        _clock.Now += TimeSpan.FromSeconds(10);
        Assert.Null(cache.Take("c"));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ClientSessionCache(0));
    }

    [Fact]
    public void The_cache_forgets_a_server_at_a_word()
    {
        var cache = new ClientSessionCache(2, _clock);
        ClientSession session = Session(SslProtocols.Tls12);
        cache.Add("a", session);
        cache.Add("b", Session(SslProtocols.Tls13));
        cache.Remove("a");
        cache.Remove("nobody");
        Assert.Null(cache.Take("a"));
        Assert.Throws<ObjectDisposedException>(session.Export);
        using ClientSession? kept = cache.Take("b");
        Assert.NotNull(kept);
        Assert.Throws<ArgumentNullException>(() => cache.Remove(null!));
    }

    [Fact]
    public void Many_threads_use_the_cache_at_once()
    {
        var cache = new ClientSessionCache(3, _clock);
        Parallel.For(0, 2000, i =>
        {
            cache.Add($"{i % 5}", Session(i % 2 == 0 ? SslProtocols.Tls12 : SslProtocols.Tls13));
            using ClientSession? taken = cache.Take($"{(i + 1) % 5}");
            Assert.True(taken is null || taken.Export().Length != 0);
        });
    }

    private bool Offers(ClientSession session)
    {
        using var client = new ClientHandshake(new ClientHandshakeOptions { ServerName = "localhost", Session = session, Clock = _clock });
        ClientHello hello = ClientHello.Read(Tls.Concat([.. HandshakePair.SplitRecords(client.Output.Span).Select(record => record[RecordHeader.Size..])]));
        return hello.HasPreSharedKey || hello.SessionTicket is { IsEmpty: false };
    }

    private ClientSession Session(SslProtocols protocol, uint lifetime = 7200, uint ageAdd = 5, int ticketLength = TicketLength, byte[][]? chain = null, DateTimeOffset? begun = null)
    {
        Crypto.CipherSuite suite = Crypto.CipherSuite.Find(Resuming.Aes128(protocol))!;
        byte[] secret = new byte[suite.IsTls13 ? suite.HashLength : Crypto.Prf.MasterSecretLength];
        new Random(1).NextBytes(secret);
        var state = new Handshake.Resumption.SessionState
        {
            Suite = suite,
            Secret = new Crypto.SecretBytes(secret),
            IsExtendedMasterSecret = !suite.IsTls13,
            ServerName = "localhost",
            AuthenticatedAt = begun ?? _clock.Now,
            IssuedAt = _clock.Now,
            PeerChain = chain ?? TestCertificates.Ecdsa.Chain,
        };
        return new ClientSession(state, new byte[ticketLength], lifetime, ageAdd);
    }
}
