using System.Net.Security;
using KTls.Handshake.Crypto;

namespace KTls.Handshake.Tests;

public sealed class HandshakeTests
{
    public static TheoryData<TlsCipherSuite, NamedGroup, string> Combinations()
    {
        var data = new TheoryData<TlsCipherSuite, NamedGroup, string>();
        foreach (TlsCipherSuite suite in SupportedParameters.CipherSuites)
        {
            foreach (NamedGroup group in SupportedParameters.Groups)
            {
                foreach (string credential in new[] { "ecdsa", "ecdsa384", "rsa" })
                {
                    bool isTls13 = CipherSuite.Find(suite)!.IsTls13;
                    bool isRsa = credential == "rsa";
                    if (isTls13 || (CipherSuite.Find(suite)!.Signer == CertificateKeyKind.Rsa == isRsa && group != NamedGroup.X25519MLKem768))
                    {
                        data.Add(suite, group, credential);
                    }
                }
            }
        }

        return data;
    }

    /// <summary>The client has the curves of the certificates, too, as TLS 1.2 asks for (RFC 8422 §5.1).</summary>
    [Theory]
    [MemberData(nameof(Combinations))]
    public void Both_ends_reach_the_same_keys(TlsCipherSuite suite, NamedGroup group, string credential)
    {
        using var pair = new HandshakePair(
            new ServerHandshakeOptions { Credential = TestCertificates.ByName(credential), CipherSuites = [suite], Groups = [group] },
            new ClientHandshakeOptions { ServerName = "localhost", Groups = [group, NamedGroup.Secp256r1, NamedGroup.Secp384r1] });
        pair.Run();
        using TlsSession client = pair.Client.TakeSession();
        using TlsSession server = pair.Server.TakeSession();
        Assert.Equal(suite, client.CipherSuite);
        Assert.Equal(group, server.Group);
        AssertSameKeys(client, server);

        if (client.CanUpdateKeys)
        {
            client.UpdateSendKeys();
            server.UpdateReceiveKeys();
            AssertSameKeys(client, server);
        }
    }

    public static TheoryData<NamedGroup, NamedGroup> PairsOfGroups()
    {
        var data = new TheoryData<NamedGroup, NamedGroup>();
        foreach (NamedGroup first in SupportedParameters.Groups)
        {
            foreach (NamedGroup wanted in SupportedParameters.Groups.Where(group => group != first))
            {
                data.Add(first, wanted);
            }
        }

        return data;
    }

    /// <summary>The second ClientHello has the share that was asked for, and no other (RFC 8446 §4.1.2).</summary>
    [Theory]
    [MemberData(nameof(PairsOfGroups))]
    public void A_group_without_a_share_is_asked_for(NamedGroup first, NamedGroup wanted)
    {
        // With x25519 behind it a hybrid brings a share of that, too, unless it was asked for.
        using var pair = new HandshakePair(
            new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, Groups = [wanted] },
            new ClientHandshakeOptions { Groups = [first, .. SupportedParameters.Groups.Where(group => group != first)] });
        pair.Run();
        using TlsSession client = pair.Client.TakeSession();
        using TlsSession server = pair.Server.TakeSession();
        Assert.Equal(wanted, client.Group);
        AssertSameKeys(client, server);

        var shares = new Wire.WireReader(pair.Server.ClientHello!.KeyShares);
        bool wasRetried = (first, wanted) != (NamedGroup.X25519MLKem768, NamedGroup.X25519);
        Assert.Equal(wasRetried ? wanted : first, Wire.KeyShareEntry.Read(ref shares).Group);
        Assert.Equal(wasRetried, shares.IsEmpty);
    }

    /// <summary>A client that has the post-quantum hybrid but sends a share for x25519 is asked for the hybrid; for no other group.</summary>
    [Theory]
    [InlineData(NamedGroup.X25519, NamedGroup.X25519MLKem768, NamedGroup.X25519MLKem768)]
    [InlineData(NamedGroup.Secp256r1, NamedGroup.X25519MLKem768, NamedGroup.X25519MLKem768)]
    [InlineData(NamedGroup.Secp256r1, NamedGroup.X25519, NamedGroup.Secp256r1)]
    public void The_hybrid_is_asked_for(NamedGroup sent, NamedGroup listed, NamedGroup expected)
    {
        using var pair = new HandshakePair(client: new ClientHandshakeOptions { ServerName = "localhost", Groups = [sent, listed] });
        pair.Run();
        using TlsSession server = pair.Server.TakeSession();
        using TlsSession client = pair.Client.TakeSession();
        Assert.Equal((expected, expected), (server.Group, client.Group));
    }

    /// <summary>A round trip that would end at another group is not worth it.</summary>
    [Fact]
    public void The_hybrid_is_not_missed_where_another_group_comes_before_it()
    {
        NamedGroup[] groups = [NamedGroup.Secp256r1, NamedGroup.X25519MLKem768, NamedGroup.X25519];
        using var pair = new HandshakePair(
            new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, Groups = groups },
            new ClientHandshakeOptions { ServerName = "localhost", Groups = [NamedGroup.X25519, NamedGroup.X25519MLKem768, NamedGroup.Secp256r1] });
        pair.Run();
        using TlsSession server = pair.Server.TakeSession();
        using TlsSession client = pair.Client.TakeSession();
        Assert.Equal((NamedGroup.X25519, NamedGroup.X25519), (server.Group, client.Group));
    }

    [Fact]
    public void The_servers_preference_chooses_the_application_protocol()
    {
        using var pair = new HandshakePair(
            new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11] },
            new ClientHandshakeOptions { ApplicationProtocols = [SslApplicationProtocol.Http11, SslApplicationProtocol.Http2] });
        pair.Run();
        using TlsSession client = pair.Client.TakeSession();
        Assert.Equal(SslApplicationProtocol.Http2, client.ApplicationProtocol);
    }

    [Fact]
    public void No_common_application_protocol_is_an_alert()
    {
        using var pair = new HandshakePair(
            new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, ApplicationProtocols = [SslApplicationProtocol.Http2] },
            new ClientHandshakeOptions { ApplicationProtocols = [SslApplicationProtocol.Http11] });
        AssertAlert(pair, AlertDescription.NoApplicationProtocol);
    }

    [Fact]
    public void No_common_suite_is_an_alert()
    {
        using var pair = new HandshakePair(
            new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, CipherSuites = [TlsCipherSuite.TLS_AES_128_GCM_SHA256] },
            new ClientHandshakeOptions { CipherSuites = [TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256] });
        AssertAlert(pair, AlertDescription.HandshakeFailure);
    }

    [Fact]
    public void No_common_group_is_an_alert()
    {
        using var pair = new HandshakePair(
            new ServerHandshakeOptions { Credential = TestCertificates.Ecdsa, Groups = [NamedGroup.X25519] },
            new ClientHandshakeOptions { Groups = [NamedGroup.Secp256r1] });
        AssertAlert(pair, AlertDescription.HandshakeFailure);
    }

    [Fact]
    public void Server_sees_the_name()
    {
        using var pair = new HandshakePair(client: new ClientHandshakeOptions { ServerName = "files.example" });
        pair.Run();
        Assert.Equal("files.example", pair.Server.ClientHello!.ServerName);
    }

    /// <summary>Every bit of every byte of the handshake counts: a flipped one never ends in success on both sides.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_changed_byte_anywhere_fails_the_handshake(bool fromClient)
    {
        using var intact = new HandshakePair();
        var lengths = new Dictionary<(bool, int), int>();
        intact.Tamper = (client, number, record) =>
        {
            lengths[(client, number)] = record.Length;
            return record;
        };
        intact.Run();
        foreach (((bool client, int target), int length) in lengths)
        {
            if (client != fromClient)
            {
                continue;
            }

            // legacy_record_version is ignored on purpose (RFC 8446 §5.1) while records are in the clear.
            foreach (int position in Enumerable.Range(0, length).Where(position => position is not (1 or 2)))
            {
                // An ECDSA signature's length varies, so the last bytes may not be there this time.
                bool changed = false;
                using var pair = new HandshakePair();
                pair.Tamper = (c, n, record) =>
                {
                    if (c == fromClient && n == target && position < record.Length)
                    {
                        record[position] ^= 0x40;
                        changed = true;
                    }

                    return record;
                };
                Exception? e = Record.Exception(pair.Run);
                Assert.True(e is not null || !changed, $"Byte {position} of record {target} ({length} bytes) does not count.");
            }
        }
    }

    private static void AssertAlert(HandshakePair pair, AlertDescription expected)
    {
        TlsAlertException e = Assert.Throws<TlsAlertException>(pair.Run);
        Assert.Equal(expected, e.Description);
        TlsHandshake failed = pair.Server.Status == HandshakeStatus.Failed ? pair.Server : pair.Client;
        Assert.Equal(HandshakeStatus.Failed, failed.Status);

        // The last record to send is the alert.
        byte[] last = HandshakePair.SplitRecords(failed.Output.Span)[^1];
        if (last[0] == (byte)ContentType.Alert)
        {
            Assert.Equal([2, (byte)expected], last[RecordHeader.Size..]);
        }
    }

    /// <summary>What one end seals, the other opens.</summary>
    /// <param name="client">The client's keys.</param>
    /// <param name="server">The server's keys.</param>
    /// <param name="late">Records of the server that the client has not opened yet.</param>
    internal static void AssertSameKeys(TlsSession client, TlsSession server, int late = 0)
    {
        using RecordKeys clientSend = client.GetSendKeys();
        using RecordKeys serverReceive = server.GetReceiveKeys();
        using RecordKeys clientReceive = client.GetReceiveKeys();
        using RecordKeys serverSend = server.GetSendKeys();
        Assert.Equal((clientSend.Sequence, clientReceive.Sequence + (ulong)late), (serverReceive.Sequence, serverSend.Sequence));
        Assert.Equal(clientSend.Key.ToArray(), serverReceive.Key.ToArray());
        Assert.Equal(clientSend.Iv.ToArray(), serverReceive.Iv.ToArray());
        Assert.Equal(clientReceive.Key.ToArray(), serverSend.Key.ToArray());
        Assert.Equal(clientReceive.Iv.ToArray(), serverSend.Iv.ToArray());
        Assert.NotEqual(clientSend.Key.ToArray(), clientReceive.Key.ToArray());
    }
}
