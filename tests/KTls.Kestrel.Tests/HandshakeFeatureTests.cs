using System.Net;
using System.Net.Security;

namespace KTls.Kestrel.Tests;

/// <summary>The names and numbers that <c>ITlsHandshakeFeature</c> has for a suite, asked of stock UseHttps and of UseKTls.</summary>
public sealed class HandshakeFeatureTests
{
    public static TheoryData<TlsCipherSuite> Suites =>
    [
        TlsCipherSuite.TLS_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256,
        TlsCipherSuite.TLS_AES_128_CCM_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
    ];

    [Theory]
    [MemberData(nameof(Suites))]
    public async Task A_suite_is_described_as_stock_describes_it(TlsCipherSuite suite)
    {
        string stock = await AskAsync(isKTls: false, suite);
        Assert.StartsWith(suite.ToString(), stock, StringComparison.Ordinal);
        Assert.Equal(stock, await AskAsync(isKTls: true, suite));
    }

    private static async Task<string> AskAsync(bool isKTls, TlsCipherSuite suite)
    {
        await using Site site = await Site.StartAsync(
            isKTls,
#pragma warning disable CA1416 // The tests run on Linux only.
            https => https.OnAuthenticate = (_, options) => options.CipherSuitesPolicy = new CipherSuitesPolicy([suite]),
#pragma warning restore CA1416
            dataPlane: DataPlanePolicy.PreferKernel);
        using HttpClient client = site.CreateClient(HttpVersion.Version11, suite: suite);
        return await client.GetStringAsync("handshake");
    }
}
