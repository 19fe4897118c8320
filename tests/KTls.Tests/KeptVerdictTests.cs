using System.Diagnostics.Tracing;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KTls.Authentication;
using KTls.Handshake;

namespace KTls.Tests;

/// <summary>A client that resumes a session builds the server's chain again unless it is certain that it would come to the same.</summary>
public sealed class KeptVerdictTests : IDisposable
{
    private readonly ChainCounter _chains = new();
    private readonly Turned _clock = new();

    public static TheoryData<string, Action<SslClientAuthenticationOptions>> Changes => new()
    {
        { "another root beside it", options => options.CertificateChainPolicy!.CustomTrustStore.Add(TestPki.Rsa) },
        { "the same root once more, as another object", options => options.CertificateChainPolicy = Trusting(X509CertificateLoader.LoadCertificate(TestPki.Root.RawData)) },
        { "the same root, disposed of", options => DisposedRoot(options.CertificateChainPolicy!) },
        { "the system's roots", options => options.CertificateChainPolicy!.TrustMode = X509ChainTrustMode.System },
        { "which certificates revocation is about", options => options.CertificateChainPolicy!.RevocationFlag = X509RevocationFlag.EntireChain },
        { "no policy at all", options => options.CertificateChainPolicy = null },
        { "revocation", options => options.CertificateChainPolicy!.RevocationMode = X509RevocationMode.Offline },
        { "flags", options => options.CertificateChainPolicy!.VerificationFlags = X509VerificationFlags.IgnoreEndRevocationUnknown },
        { "a time", options => options.CertificateChainPolicy!.VerificationTime = DateTime.Now },
        { "certificates to help", options => options.CertificateChainPolicy!.ExtraStore.Add(TestPki.Rsa) },
        { "a use", options => options.CertificateChainPolicy!.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1")) },
        { "a policy", options => options.CertificateChainPolicy!.CertificatePolicy.Add(new Oid("1.2.3.4")) },
        { "no downloads", options => options.CertificateChainPolicy!.DisableCertificateDownloads = true },
        { "a callback", options => options.RemoteCertificateValidationCallback = (_, _, chain, errors) => chain!.ChainElements.Count == 2 && errors == SslPolicyErrors.None },
    };

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task The_same_is_not_decided_twice_until_time_is_up(SslProtocols protocol)
    {
        SslServerAuthenticationOptions server = TestPki.Server();
        server.EnabledSslProtocols = protocol;
        KTlsOptions options = Options();

        // A policy that says the same is the same.
        Assert.Equal((false, 1), await ConnectAsync(options, TestPki.Client(), server));
        Assert.Equal((true, 0), await ConnectAsync(options, TestPki.Client(), server));
        _clock.Now += TimeSpan.FromMinutes(4);
        Assert.Equal((true, 0), await ConnectAsync(options, TestPki.Client(), server));

        // A session that began under a kept verdict does not make it younger.
        _clock.Now += TimeSpan.FromMinutes(1);
        Assert.Equal((true, 1), await ConnectAsync(options, TestPki.Client(), server));

        // In TLS 1.2 the session, and its verdict, stays the old one.
        Assert.Equal((true, protocol == SslProtocols.Tls13 ? 0 : 1), await ConnectAsync(options, TestPki.Client(), server));

        // A clock that was set back has no idea how old anything is.
        _clock.Now -= TimeSpan.FromHours(1);
        Assert.Equal((true, 1), await ConnectAsync(options, TestPki.Client(), server));
    }

    [Fact]
    [Option(typeof(KTlsOptions), nameof(KTlsOptions.CertificateVerdictLifetime))]
    public async Task Without_a_lifetime_the_chain_is_built_each_time()
    {
        KTlsOptions options = Options();
        options.CertificateVerdictLifetime = TimeSpan.Zero;
        Assert.Equal((false, 1), await ConnectAsync(options, TestPki.Client()));
        Assert.Equal((true, 1), await ConnectAsync(options, TestPki.Client()));
        Assert.Throws<ArgumentOutOfRangeException>(() => options.CertificateVerdictLifetime = TimeSpan.FromTicks(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => options.CertificateVerdictLifetime = TimeSpan.FromDays(7) + TimeSpan.FromTicks(1));
    }

    [Fact]
    public async Task A_shorter_lifetime_counts_at_once()
    {
        KTlsOptions options = Options();
        Assert.Equal((false, 1), await ConnectAsync(options, TestPki.Client()));
        _clock.Now += TimeSpan.FromMinutes(2);
        options.CertificateVerdictLifetime = TimeSpan.FromMinutes(1);
        Assert.Equal((true, 1), await ConnectAsync(options, TestPki.Client()));
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task Whoever_asks_for_something_else_has_the_chain_built(string name, Action<SslClientAuthenticationOptions> change)
    {
        KTlsOptions options = Options();
        SslClientAuthenticationOptions client = TestPki.Client();
        client.CertificateChainPolicy = Trusting(X509CertificateLoader.LoadCertificate(TestPki.Root.RawData));
        Assert.Equal((false, 1), await ConnectAsync(options, client));
        Assert.Equal((true, 0), await ConnectAsync(options, client));
        change(client);
        SslServerAuthenticationOptions server = TestPki.Server();
        int before = _chains.Count;
        bool isRefused = false;
        try
        {
            _ = await ConnectAsync(options, client, server);
        }
        catch (Exception e) when (e is AuthenticationException or ArgumentException or IOException)
        {
            // Whether revocation can be checked, and what a root that is disposed of is good for, is found out only by who builds the chain.
            isRefused = true;
        }

        // Going by the verdict, it would have accepted without a chain.
        Assert.True(isRefused || _chains.Count - before == 1, name);
    }

    [Fact]
    public async Task A_root_that_is_withdrawn_is_not_trusted_any_more()
    {
        KTlsOptions options = Options();
        SslClientAuthenticationOptions client = TestPki.Client();
        Assert.Equal((false, 1), await ConnectAsync(options, client));
        client.CertificateChainPolicy!.CustomTrustStore.Clear();
        client.CertificateChainPolicy.CustomTrustStore.Add(TestPki.Rsa);
        await Assert.ThrowsAsync<AuthenticationException>(() => ConnectAsync(options, client));
    }

    [Fact]
    public async Task What_a_callback_has_accepted_is_not_accepted_without_it()
    {
        KTlsOptions options = Options();
        SslClientAuthenticationOptions client = TestPki.Client();
        client.CertificateChainPolicy = Trusting(TestPki.Rsa);
        client.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        Assert.Equal((false, 1), await ConnectAsync(options, client));
        client.RemoteCertificateValidationCallback = null;
        await Assert.ThrowsAsync<AuthenticationException>(() => ConnectAsync(options, client));
    }

    [Fact]
    public async Task Another_name_is_another_question()
    {
        KTlsOptions options = Options();
        SslClientAuthenticationOptions client = TestPki.Client();
        client.CertificateChainPolicy!.VerificationFlags = X509VerificationFlags.IgnoreInvalidName;
        client.TargetHost = "127.0.0.1";
        Assert.Equal((false, 1), await ConnectAsync(options, client));
        Assert.Equal((true, 0), await ConnectAsync(options, client));
        client.TargetHost = "127.0.0.2";
        Assert.Equal((true, 1), await ConnectAsync(options, client));
    }

    [Fact]
    public void Without_a_policy_it_is_the_same_and_revocation_is_seen()
    {
        // Nobody trusts the test's root but the policy: so the verdict is made by hand.
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(TestPki.Ecdsa.RawData);
        using var chain = new X509Chain { ChainPolicy = TestPki.TrustRoot() };
        Assert.True(chain.Build(certificate));
        PeerVerdict.Criteria criteria = new(null!, "localhost", IsRequired: true, Policy: null, X509RevocationMode.NoCheck, Callback: null) { VerdictLifetime = TimeSpan.FromMinutes(5), Clock = _clock };
        KeptVerdict verdict = KeptVerdict.TryKeep(criteria, certificate, chain)!;
        Assert.True(verdict.Holds(criteria, certificate));
        Assert.False(verdict.Holds(criteria with { RevocationMode = X509RevocationMode.Online }, certificate));
        Assert.False(verdict.Holds(criteria with { Policy = TestPki.TrustRoot() }, certificate));
        Assert.False(verdict.Holds(criteria with { TargetHost = null }, certificate));
        Assert.False(verdict.Holds(criteria with { TargetHost = "LOCALHOST." }, certificate));
        Assert.False(verdict.Holds(criteria, TestPki.Rsa));
        Assert.Null(KeptVerdict.TryKeep(criteria with { RevocationMode = X509RevocationMode.Offline }, certificate, chain));
        Assert.Null(KeptVerdict.TryKeep(criteria with { TargetHost = null }, certificate, chain));
        Assert.Null(KeptVerdict.TryKeep(criteria with { Callback = (_, _, _, _) => true }, certificate, chain));

        // Set back by less than it is old, the clock says little; time itself goes on.
        _clock.Passed += TimeSpan.FromMinutes(5);
        Assert.False(verdict.Holds(criteria, certificate));

        // From here on it is the root that expires first.
        criteria = criteria with { VerdictLifetime = TimeSpan.FromDays(7) };
        using X509Certificate2 late = TestPki.Issue(ECDsa.Create(ECCurve.NamedCurves.nistP256), notAfter: TestPki.Root.NotAfter);
        using var longer = new X509Chain { ChainPolicy = TestPki.TrustRoot() };
        Assert.True(longer.Build(late));
        _clock.Now = longer.ChainElements[^1].Certificate.NotAfter.AddMinutes(-1);
        verdict = KeptVerdict.TryKeep(criteria, late, longer)!;
        Assert.True(verdict.Holds(criteria, late));
        _clock.Now += TimeSpan.FromMinutes(1);
        Assert.False(verdict.Holds(criteria, late));
    }

    [Fact]
    public async Task A_policy_that_changes_while_the_chain_is_built_was_not_asked()
    {
        KTlsOptions options = Options();
        SslClientAuthenticationOptions client = TestPki.Client();
        SslServerAuthenticationOptions server = TestPki.Server();
        _chains.Starting = () =>
        {
            client.CertificateChainPolicy!.CustomTrustStore.Clear();
            client.CertificateChainPolicy.CustomTrustStore.Add(TestPki.Rsa);
        };
        Assert.Equal((false, 1), await ConnectAsync(options, client, server));
        _chains.Starting = null;
        await Assert.ThrowsAsync<AuthenticationException>(() => ConnectAsync(options, client));
    }

    [Fact]
    public async Task A_certificate_that_expires_ends_it()
    {
        KTlsOptions options = Options();
        options.CertificateVerdictLifetime = TimeSpan.FromDays(7);
        using X509Certificate2 certificate = TestPki.Issue(ECDsa.Create(ECCurve.NamedCurves.nistP256), notAfter: DateTimeOffset.UtcNow.AddMinutes(10));
        SslServerAuthenticationOptions server = TestPki.Server(certificate);
        Assert.Equal((false, 1), await ConnectAsync(options, TestPki.Client(), server));
        _clock.Now += TimeSpan.FromMinutes(9);
        Assert.Equal((true, 0), await ConnectAsync(options, TestPki.Client(), server));
        _clock.Now += TimeSpan.FromMinutes(1);
        Assert.Equal((true, 1), await ConnectAsync(options, TestPki.Client(), server));
    }

    [Fact]
    public async Task A_server_that_does_not_resume_is_judged_by_what_it_shows()
    {
        KTlsOptions options = Options();
        Assert.Equal((false, 1), await ConnectAsync(options, TestPki.Client()));
        SslServerAuthenticationOptions other = TestPki.Server();
        other.AllowTlsResume = false;
        Assert.Equal((false, 1), await ConnectAsync(options, TestPki.Client(), other));
        other = TestPki.Server(TestPki.Rsa);
        other.AllowTlsResume = false;
        Assert.Equal((false, 1), await ConnectAsync(options, TestPki.Client(), other));
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using X509Certificate2 unknown = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        other = TestPki.Server(unknown);
        other.AllowTlsResume = false;
        await Assert.ThrowsAsync<AuthenticationException>(() => ConnectAsync(options, TestPki.Client(), other));
    }

    [Fact]
    public async Task A_session_from_outside_has_no_verdict_with_it()
    {
        var store = new OneServerStore { IsOutside = true };
        KTlsOptions options = Options(store);
        Assert.Equal((false, 1), await ConnectAsync(options, TestPki.Client()));
        Assert.Equal((true, 1), await ConnectAsync(options, TestPki.Client()));
    }

    public void Dispose() => _chains.Dispose();

    private static void DisposedRoot(X509ChainPolicy policy) => policy.CustomTrustStore[0].Dispose();

    private static X509ChainPolicy Trusting(X509Certificate2 root)
    {
        X509ChainPolicy policy = TestPki.TrustRoot();
        policy.CustomTrustStore.Clear();
        policy.CustomTrustStore.Add(root);
        return policy;
    }

    private KTlsOptions Options(OneServerStore? store = null) =>
        new() { DataPlane = DataPlanePolicy.UserSpace, SessionStore = store ?? new OneServerStore(), Clock = _clock };

    // Whether the session was resumed, and how many chains were built.
    private async Task<(bool IsResumed, int Chains)> ConnectAsync(KTlsOptions options, SslClientAuthenticationOptions client, SslServerAuthenticationOptions? server = null)
    {
        // A server builds its own chain, too.
        server ??= TestPki.Server();
        int before = _chains.Count;
        await using StreamPair pair = await StreamPair.ConnectAsync(options, server, client);
        await Transfer.BothWaysAsync(pair.Client, pair.Server, 1000);
        return (pair.Client.IsResumed == true, _chains.Count - before);
    }

    /// <summary>Counts the chains that .NET builds on behalf of one test: whatever runs in parallel has another context.</summary>
    private sealed class ChainCounter : EventListener
    {
        private static readonly AsyncLocal<ChainCounter?> Current = new();
        private int _count;

        public ChainCounter() => Current.Value = this;

        public int Count => Volatile.Read(ref _count);

        public Action? Starting { get; set; }

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == "System.Security.Cryptography.X509Certificates.X509Chain.OpenSsl")
            {
                EnableEvents(eventSource, EventLevel.LogAlways);
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            if (eventData is { EventName: "ChainStart" } && Current.Value == this)
            {
                Interlocked.Increment(ref _count);
                Starting?.Invoke();
            }
        }
    }

    private sealed class Turned : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UtcNow;

        public TimeSpan Passed { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;

        public override long GetTimestamp() => Passed.Ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    }

    /// <summary>The usual cache, for which all servers are one.</summary>
    private sealed class OneServerStore : IClientSessionStore
    {
        private readonly ClientSessionCache _cache = new();

        public bool IsOutside { get; init; }

        public void Add(string key, ClientSession session) => _cache.Add(string.Empty, IsOutside ? ClientSession.TryImport(session.Export())! : session);

        public ClientSession? Take(string key) => _cache.Take(string.Empty);

        public void Remove(string key) => _cache.Remove(string.Empty);
    }
}
