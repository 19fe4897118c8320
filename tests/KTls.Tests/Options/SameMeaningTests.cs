using System.Collections.Concurrent;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Tests;

/// <summary>Each test runs with our handshake and with SslStream's behind the same stream, and expects the same of both.</summary>
public sealed class SameMeaningTests
{
    public static TheoryData<DataPlanePolicy> Both => [DataPlanePolicy.UserSpace, DataPlanePolicy.SslStream];

    [Theory]
    [MemberData(nameof(Both))]
    [Option(typeof(SslServerAuthenticationOptions), nameof(SslServerAuthenticationOptions.ApplicationProtocols))]
    [Option(typeof(SslClientAuthenticationOptions), nameof(SslClientAuthenticationOptions.ApplicationProtocols))]
    public async Task The_servers_first_protocol_that_the_client_has(DataPlanePolicy plane)
    {
        SslServerAuthenticationOptions server = TestPki.Server();
        server.ApplicationProtocols = [SslApplicationProtocol.Http3, SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];
        SslClientAuthenticationOptions client = TestPki.Client();
        client.ApplicationProtocols = [SslApplicationProtocol.Http11, SslApplicationProtocol.Http2];
        await using StreamPair pair = await ConnectAsync(plane, server, client);
        Assert.Equal(SslApplicationProtocol.Http2, pair.Client.NegotiatedApplicationProtocol);
        Assert.Equal(SslApplicationProtocol.Http2, pair.Server.NegotiatedApplicationProtocol);
    }

    [Theory]
    [MemberData(nameof(Both))]
    [Option(typeof(SslServerAuthenticationOptions), nameof(SslServerAuthenticationOptions.ServerCertificate))]
    public async Task A_bare_certificate_serves(DataPlanePolicy plane)
    {
        var server = new SslServerAuthenticationOptions { ServerCertificate = TestPki.Rsa };
        await using StreamPair pair = await ConnectAsync(plane, server);
        Assert.Equal(TestPki.Rsa.RawData, pair.Client.RemoteCertificate!.GetRawCertData());
    }

    [Theory]
    [MemberData(nameof(Both))]
    [Option(typeof(SslServerAuthenticationOptions), nameof(SslServerAuthenticationOptions.ServerCertificateContext))]
    public async Task The_contexts_intermediates_are_sent(DataPlanePolicy plane)
    {
        (X509Certificate2 leaf, X509Certificate2 intermediate) = IntermediatePki.Issue();
        var server = new SslServerAuthenticationOptions { ServerCertificateContext = SslStreamCertificateContext.Create(leaf, [intermediate], offline: true) };
        await using StreamPair pair = await ConnectAsync(plane, server);
        Assert.Equal(leaf.RawData, pair.Client.RemoteCertificate!.GetRawCertData());
    }

    [Theory]
    [MemberData(nameof(Both))]
    [Option(typeof(SslServerAuthenticationOptions), nameof(SslServerAuthenticationOptions.ServerCertificateSelectionCallback))]
    public async Task The_selection_callback_gets_the_name_in_Unicode(DataPlanePolicy plane)
    {
        object? sender = null;
        string? name = null;
        var server = new SslServerAuthenticationOptions
        {
            ServerCertificateSelectionCallback = (from, host) =>
            {
                (sender, name) = (from, host);
                return TestPki.Ecdsa;
            },
        };
        SslClientAuthenticationOptions client = TestPki.Client();
        client.TargetHost = "bücher.example";
        client.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        await using StreamPair pair = await ConnectAsync(plane, server, client);
        Assert.Equal("bücher.example", name);
        Assert.Equal(TestPki.Ecdsa.RawData, pair.Client.RemoteCertificate!.GetRawCertData());
        Assert.Equal("bücher.example", pair.Server.TargetHostName);
        Assert.NotNull(sender);
    }

    [Theory]
    [InlineData(DataPlanePolicy.UserSpace, SslProtocols.Tls12)]
    [InlineData(DataPlanePolicy.UserSpace, SslProtocols.Tls13)]
    [InlineData(DataPlanePolicy.UserSpace, SslProtocols.None)]
    [InlineData(DataPlanePolicy.SslStream, SslProtocols.Tls12)]
    [InlineData(DataPlanePolicy.SslStream, SslProtocols.Tls13)]
    [InlineData(DataPlanePolicy.SslStream, SslProtocols.None)]
    [Option(typeof(SslServerAuthenticationOptions), nameof(SslServerAuthenticationOptions.EnabledSslProtocols))]
    [Option(typeof(SslClientAuthenticationOptions), nameof(SslClientAuthenticationOptions.EnabledSslProtocols))]
    public async Task The_enabled_versions_are_spoken(DataPlanePolicy plane, SslProtocols enabled)
    {
        SslProtocols expected = enabled == SslProtocols.None ? SslProtocols.Tls13 : enabled;
        SslServerAuthenticationOptions server = TestPki.Server();
        server.EnabledSslProtocols = enabled;
        await using (StreamPair pair = await ConnectAsync(plane, server))
        {
            Assert.Equal((expected, expected), (pair.Client.SslProtocol, pair.Server.SslProtocol));
        }

        SslClientAuthenticationOptions client = TestPki.Client();
        client.EnabledSslProtocols = enabled;
        await using StreamPair other = await ConnectAsync(plane, null, client);
        Assert.Equal((expected, expected), (other.Client.SslProtocol, other.Server.SslProtocol));
    }

    [Theory]
    [MemberData(nameof(Both))]
    [Option(typeof(SslServerAuthenticationOptions), nameof(SslServerAuthenticationOptions.EnabledSslProtocols))]
    public async Task No_common_version_fails_on_both_sides(DataPlanePolicy plane)
    {
        SslServerAuthenticationOptions server = TestPki.Server();
        server.EnabledSslProtocols = SslProtocols.Tls12;
        SslClientAuthenticationOptions client = TestPki.Client();
        client.EnabledSslProtocols = SslProtocols.Tls13;
        await FailAsync(plane, server, client);
    }

    [Theory]
    [MemberData(nameof(Both))]
    [Option(typeof(CipherSuitesPolicy), nameof(CipherSuitesPolicy.AllowedCipherSuites))]
    [Option(typeof(SslServerAuthenticationOptions), nameof(SslServerAuthenticationOptions.CipherSuitesPolicy))]
    [Option(typeof(SslClientAuthenticationOptions), nameof(SslClientAuthenticationOptions.CipherSuitesPolicy))]
    public async Task Only_the_allowed_suites_are_used(DataPlanePolicy plane)
    {
        foreach (TlsCipherSuite suite in (TlsCipherSuite[])
            [TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384])
        {
            SslServerAuthenticationOptions server = TestPki.Server();
            server.CipherSuitesPolicy = new CipherSuitesPolicy([suite]);
            await using (StreamPair pair = await ConnectAsync(plane, server))
            {
                Assert.Equal(suite, pair.Client.NegotiatedCipherSuite);
            }

            SslClientAuthenticationOptions client = TestPki.Client();
            client.CipherSuitesPolicy = new CipherSuitesPolicy([suite]);
            await using StreamPair other = await ConnectAsync(plane, null, client);
            Assert.Equal(suite, other.Server.NegotiatedCipherSuite);
        }

        SslServerAuthenticationOptions one = TestPki.Server();
        one.CipherSuitesPolicy = new CipherSuitesPolicy([TlsCipherSuite.TLS_AES_256_GCM_SHA384]);
        SslClientAuthenticationOptions another = TestPki.Client();
        another.CipherSuitesPolicy = new CipherSuitesPolicy([TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256]);
        await FailAsync(plane, one, another);
    }

    [Theory]
    [InlineData(DataPlanePolicy.UserSpace, SslProtocols.Tls12)]
    [InlineData(DataPlanePolicy.UserSpace, SslProtocols.Tls13)]
    [InlineData(DataPlanePolicy.SslStream, SslProtocols.Tls12)]
    [InlineData(DataPlanePolicy.SslStream, SslProtocols.Tls13)]
    [Option(typeof(SslServerAuthenticationOptions), nameof(SslServerAuthenticationOptions.ClientCertificateRequired))]
    [Option(typeof(SslServerAuthenticationOptions), nameof(SslServerAuthenticationOptions.CertificateChainPolicy))]
    [Option(typeof(SslClientAuthenticationOptions), nameof(SslClientAuthenticationOptions.ClientCertificateContext))]
    [Option(typeof(SslClientAuthenticationOptions), nameof(SslClientAuthenticationOptions.ClientCertificates))]
    public async Task A_required_client_certificate(DataPlanePolicy plane, SslProtocols protocol)
    {
        SslServerAuthenticationOptions server = TestPki.Server();
        server.EnabledSslProtocols = protocol;
        server.ClientCertificateRequired = true;
        server.CertificateChainPolicy = TestPki.TrustRoot();
        SslClientAuthenticationOptions client = TestPki.Client();
        client.ClientCertificateContext = SslStreamCertificateContext.Create(TestPki.Ecdsa, [], offline: true);
        client.ClientCertificates = [TestPki.Rsa];
        await using (StreamPair pair = await ConnectAsync(plane, server, client))
        {
            Assert.Equal(TestPki.Ecdsa.RawData, pair.Server.RemoteCertificate!.GetRawCertData());
        }

        client.ClientCertificateContext = null;
        await using (StreamPair pair = await ConnectAsync(plane, server, client))
        {
            Assert.Equal(TestPki.Rsa.RawData, pair.Server.RemoteCertificate!.GetRawCertData());
        }

        // One for servers only is refused (extended key usage), and so is none.
        client.ClientCertificates = [TestPki.Issue(ECDsa.Create(ECCurve.NamedCurves.nistP256), extendedKeyUsage: "1.3.6.1.5.5.7.3.1")];
        await FailServerAsync(plane, server, client);
        client.ClientCertificates = null;
        await FailServerAsync(plane, server, client);
    }

    [Theory]
    [InlineData(DataPlanePolicy.UserSpace, false)]
    [InlineData(DataPlanePolicy.UserSpace, true)]
    [InlineData(DataPlanePolicy.SslStream, false)]
    [InlineData(DataPlanePolicy.SslStream, true)]
    [Option(typeof(SslServerAuthenticationOptions), nameof(SslServerAuthenticationOptions.RemoteCertificateValidationCallback))]
    public async Task A_servers_callback_has_the_last_word(DataPlanePolicy plane, bool isRequired)
    {
        var seen = new List<(bool HasCertificate, SslPolicyErrors Errors)>();
        SslServerAuthenticationOptions server = TestPki.Server();
        server.ClientCertificateRequired = isRequired;
        server.CertificateChainPolicy = TestPki.TrustRoot();
        server.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
        {
            seen.Add((certificate is not null, errors));
            return true;
        };
        await using (await ConnectAsync(plane, server))
        {
        }

        SslClientAuthenticationOptions client = TestPki.Client();
        client.ClientCertificates = [TestPki.Ecdsa];
        await using (await ConnectAsync(plane, server, client))
        {
        }

        (bool, SslPolicyErrors) without = (false, SslPolicyErrors.RemoteCertificateNotAvailable);
        Assert.Equal([without, isRequired ? (true, SslPolicyErrors.None) : without], seen);
        server.RemoteCertificateValidationCallback = (_, _, _, _) => false;
        await FailServerAsync(plane, server, TestPki.Client());
    }

    [Theory]
    [MemberData(nameof(Both))]
    [Option(typeof(SslClientAuthenticationOptions), nameof(SslClientAuthenticationOptions.RemoteCertificateValidationCallback))]
    [Option(typeof(SslClientAuthenticationOptions), nameof(SslClientAuthenticationOptions.TargetHost))]
    public async Task A_clients_callback_has_the_last_word_and_hears_of_a_wrong_name(DataPlanePolicy plane)
    {
        foreach ((string host, SslPolicyErrors expected) in (List<(string, SslPolicyErrors)>)
            [("localhost", SslPolicyErrors.None), ("LOCALHOST.", SslPolicyErrors.None), ("other", SslPolicyErrors.RemoteCertificateNameMismatch), ("127.0.0.1", SslPolicyErrors.RemoteCertificateNameMismatch)])
        {
            await AssertCallbackAsync(plane, host, expected);
        }

        SslClientAuthenticationOptions client = TestPki.Client();
        client.RemoteCertificateValidationCallback = (_, _, _, _) => false;
        await FailClientAsync(plane, TestPki.Server(), client);
    }

    [Theory]
    [MemberData(nameof(Both))]
    [Option(typeof(SslClientAuthenticationOptions), nameof(SslClientAuthenticationOptions.CertificateChainPolicy))]
    [Option(typeof(SslClientAuthenticationOptions), nameof(SslClientAuthenticationOptions.CertificateRevocationCheckMode))]
    public async Task The_policy_decides_and_without_one_the_revocation_mode(DataPlanePolicy plane)
    {
        foreach (X509RevocationMode mode in (X509RevocationMode[])[X509RevocationMode.NoCheck, X509RevocationMode.Offline])
        {
            X509ChainPolicy? used = null;
            var client = new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                CertificateRevocationCheckMode = mode,
                RemoteCertificateValidationCallback = (_, _, chain, errors) =>
                {
                    used = chain!.ChainPolicy;
                    return errors == SslPolicyErrors.RemoteCertificateChainErrors;
                },
            };
            await using StreamPair pair = await ConnectAsync(plane, null, client);
            Assert.Equal((mode, X509RevocationFlag.ExcludeRoot, X509ChainTrustMode.System), (used!.RevocationMode, used.RevocationFlag, used.TrustMode));
        }

        // A root that the policy does not name is not trusted.
        await FailClientAsync(plane, TestPki.Server(), new SslClientAuthenticationOptions { TargetHost = "localhost" });
    }

    [Theory]
    [MemberData(nameof(Both))]
    [Option(typeof(SslServerAuthenticationOptions), nameof(SslServerAuthenticationOptions.CertificateRevocationCheckMode))]
    public async Task The_revocation_mode_of_a_server(DataPlanePolicy plane)
    {
        X509RevocationMode? used = null;
        SslServerAuthenticationOptions server = TestPki.Server();
        server.ClientCertificateRequired = true;
        server.CertificateRevocationCheckMode = X509RevocationMode.Offline;
        server.RemoteCertificateValidationCallback = (_, _, chain, _) =>
        {
            used = chain!.ChainPolicy.RevocationMode;
            return true;
        };
        SslClientAuthenticationOptions client = TestPki.Client();
        client.ClientCertificates = [TestPki.Ecdsa];
        await using StreamPair pair = await ConnectAsync(plane, server, client);
        Assert.Equal(X509RevocationMode.Offline, used);
    }

    /// <summary>The handshake is not complete where they ask.</summary>
    [Theory]
    [MemberData(nameof(Both))]
    public async Task Callbacks_can_ask_their_sender_for_the_name(DataPlanePolicy plane)
    {
        var names = new ConcurrentBag<(string Who, string Name)>();
        void Note(string who, object sender) => names.Add((who, sender is KTlsStream ours ? ours.TargetHostName : ((SslStream)sender).TargetHostName));
        var server = new SslServerAuthenticationOptions
        {
            ClientCertificateRequired = true,
            ServerCertificateSelectionCallback = (sender, _) =>
            {
                Note("selection", sender);
                return TestPki.Ecdsa;
            },
            RemoteCertificateValidationCallback = (sender, _, _, _) =>
            {
                Note("server", sender);
                return true;
            },
        };
        SslClientAuthenticationOptions client = TestPki.Client();
        client.ClientCertificates = [TestPki.Ecdsa];
        client.TargetHost = "bücher.example";
        client.RemoteCertificateValidationCallback = (sender, _, _, _) =>
        {
            Note("client", sender);
            return true;
        };
        await using StreamPair pair = await ConnectAsync(plane, server, client);
        Assert.Equal([("client", "bücher.example"), ("selection", "bücher.example"), ("server", "bücher.example")], names.Order());
    }

    private static async Task AssertCallbackAsync(DataPlanePolicy plane, string host, SslPolicyErrors expected)
    {
        SslPolicyErrors? seen = null;
        SslClientAuthenticationOptions client = TestPki.Client();
        client.TargetHost = host;
        client.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
        {
            Assert.Equal(TestPki.Ecdsa.RawData, certificate!.GetRawCertData());
            seen = errors;
            return true;
        };
        await using StreamPair pair = await ConnectAsync(plane, null, client);
        Assert.Equal(expected, seen);
    }

    internal static Task<StreamPair> ConnectAsync(DataPlanePolicy plane, SslServerAuthenticationOptions? server = null, SslClientAuthenticationOptions? client = null) =>
        StreamPair.ConnectAsync(new KTlsOptions { DataPlane = plane }, server, client);

    private static async Task FailAsync(DataPlanePolicy plane, SslServerAuthenticationOptions server, SslClientAuthenticationOptions client)
    {
        (Exception? atServer, Exception? atClient) = await AttemptAsync(plane, server, client);
        Assert.IsType<AuthenticationException>(atServer, exactMatch: false);
        Assert.NotNull(atClient);
    }

    private static async Task FailServerAsync(DataPlanePolicy plane, SslServerAuthenticationOptions server, SslClientAuthenticationOptions client) =>
        Assert.IsType<AuthenticationException>((await AttemptAsync(plane, server, client)).Server, exactMatch: false);

    private static async Task FailClientAsync(DataPlanePolicy plane, SslServerAuthenticationOptions server, SslClientAuthenticationOptions client) =>
        Assert.IsType<AuthenticationException>((await AttemptAsync(plane, server, client)).Client, exactMatch: false);

    private static async Task<(Exception? Server, Exception? Client)> AttemptAsync(DataPlanePolicy plane, SslServerAuthenticationOptions server, SslClientAuthenticationOptions client)
    {
        using TcpPair tcp = TcpPair.Connect();
        var options = new KTlsOptions { DataPlane = plane };
        Task<Exception?> accepting = OutcomeAsync(KTlsStream.AuthenticateAsServerAsync(tcp.Server, server, options), tcp.Server);
        Task<Exception?> connecting = OutcomeAsync(KTlsStream.AuthenticateAsClientAsync(tcp.Client, client, options), tcp.Client);
        return (await accepting, await connecting);
    }

    // Whoever fails hangs up, so that the other does not wait.
    private static async Task<Exception?> OutcomeAsync(Task<KTlsStream> handshake, Socket socket)
    {
        try
        {
            await (await handshake).DisposeAsync();
            return null;
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            socket.Dispose();
            return e;
        }
    }
}
