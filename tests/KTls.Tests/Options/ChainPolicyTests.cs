using System.Net.Security;
using System.Reflection;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Tests;

/// <summary>What a user sets in X509ChainPolicy is what the chain is built with, with our handshake and with SslStream's.</summary>
public sealed class ChainPolicyTests
{
    private static readonly DateTime Then = DateTime.Now.AddDays(-1);
    private static readonly X509Certificate2 Extra = IntermediatePki.Issue().Intermediate;

    public static TheoryData<DataPlanePolicy, string> Settings()
    {
        var data = new TheoryData<DataPlanePolicy, string>();
        foreach (PropertyInfo property in typeof(X509ChainPolicy).GetProperties())
        {
            data.Add(DataPlanePolicy.UserSpace, property.Name);
            data.Add(DataPlanePolicy.SslStream, property.Name);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Settings))]
    [Option(typeof(X509ChainPolicy), nameof(X509ChainPolicy.ApplicationPolicy))]
    [Option(typeof(X509ChainPolicy), nameof(X509ChainPolicy.CertificatePolicy))]
    [Option(typeof(X509ChainPolicy), nameof(X509ChainPolicy.CustomTrustStore))]
    [Option(typeof(X509ChainPolicy), nameof(X509ChainPolicy.DisableCertificateDownloads))]
    [Option(typeof(X509ChainPolicy), nameof(X509ChainPolicy.ExtraStore))]
    [Option(typeof(X509ChainPolicy), nameof(X509ChainPolicy.RevocationFlag))]
    [Option(typeof(X509ChainPolicy), nameof(X509ChainPolicy.RevocationMode))]
    [Option(typeof(X509ChainPolicy), nameof(X509ChainPolicy.TrustMode))]
    [Option(typeof(X509ChainPolicy), nameof(X509ChainPolicy.UrlRetrievalTimeout))]
    [Option(typeof(X509ChainPolicy), nameof(X509ChainPolicy.VerificationFlags))]
    [Option(typeof(X509ChainPolicy), nameof(X509ChainPolicy.VerificationTime))]
    [Option(typeof(X509ChainPolicy), nameof(X509ChainPolicy.VerificationTimeIgnored))]
    public async Task A_setting_reaches_the_chain(DataPlanePolicy plane, string name)
    {
        PropertyInfo property = typeof(X509ChainPolicy).GetProperty(name)!;
        SslClientAuthenticationOptions client = TestPki.Client();
        X509ChainPolicy policy = client.CertificateChainPolicy!;
        string standard = Show(property, new X509ChainPolicy());
        Set(policy, name);
        string set = Show(property, policy);
        Assert.NotEqual(standard, set);
        string? used = null;
        client.RemoteCertificateValidationCallback = (_, _, chain, _) =>
        {
            used = Show(property, chain!.ChainPolicy);
            return true;
        };
        await using StreamPair pair = await SameMeaningTests.ConnectAsync(plane, null, client);

        // What the peer sent comes behind the user's own certificates.
        Assert.StartsWith(set, used, StringComparison.Ordinal);
        Assert.Equal(set.Length, property.Name == nameof(X509ChainPolicy.ExtraStore) ? set.Length : used!.Length);
    }

    [Theory]
    [InlineData(DataPlanePolicy.UserSpace)]
    [InlineData(DataPlanePolicy.SslStream)]
    public async Task A_setting_decides(DataPlanePolicy plane)
    {
        // The server does not send the intermediate: the policy's own store has it.
        (X509Certificate2 leaf, X509Certificate2 intermediate) = IntermediatePki.Issue();
        var server = new SslServerAuthenticationOptions { ServerCertificateContext = SslStreamCertificateContext.Create(leaf, [], offline: true) };
        Assert.Equal(SslPolicyErrors.RemoteCertificateChainErrors, await JudgeAsync(plane, server, _ => { }));
        Assert.Equal(SslPolicyErrors.None, await JudgeAsync(plane, server, policy => policy.ExtraStore.Add(intermediate)));
        Assert.Equal(SslPolicyErrors.RemoteCertificateChainErrors, await JudgeAsync(plane, TestPki.Server(), policy => policy.VerificationTime = DateTime.Now.AddYears(1)));
        Assert.Equal(SslPolicyErrors.RemoteCertificateChainErrors, await JudgeAsync(plane, TestPki.Server(), policy => policy.CustomTrustStore.Clear()));
        Assert.Equal(SslPolicyErrors.RemoteCertificateChainErrors, await JudgeAsync(plane, TestPki.Server(), policy => policy.RevocationMode = X509RevocationMode.Offline));
        Assert.Equal(SslPolicyErrors.None, await JudgeAsync(plane, TestPki.Server(), policy => (policy.VerificationTime, policy.VerificationFlags) = (DateTime.Now.AddYears(1), X509VerificationFlags.IgnoreNotTimeValid)));
        using X509Certificate2 forAnother = TestPki.Issue(ECDsa.Create(ECCurve.NamedCurves.nistP256), "another.example");
        Assert.Equal(SslPolicyErrors.RemoteCertificateNameMismatch, await JudgeAsync(plane, TestPki.Server(forAnother), _ => { }));
        Assert.Equal(SslPolicyErrors.None, await JudgeAsync(plane, TestPki.Server(forAnother), policy => policy.VerificationFlags = X509VerificationFlags.IgnoreInvalidName));
        using X509Certificate2 forClients = TestPki.Issue(ECDsa.Create(ECCurve.NamedCurves.nistP256), extendedKeyUsage: "1.3.6.1.5.5.7.3.2");
        Assert.Equal(SslPolicyErrors.RemoteCertificateChainErrors, await JudgeAsync(plane, TestPki.Server(forClients), _ => { }));
        Assert.Equal(SslPolicyErrors.None, await JudgeAsync(plane, TestPki.Server(forClients), policy => policy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.2"))));
    }

    private static async Task<SslPolicyErrors> JudgeAsync(DataPlanePolicy plane, SslServerAuthenticationOptions server, Action<X509ChainPolicy> change)
    {
        SslPolicyErrors? seen = null;
        SslClientAuthenticationOptions client = TestPki.Client();
        client.AllowTlsResume = false;
        change(client.CertificateChainPolicy!);
        client.RemoteCertificateValidationCallback = (_, _, _, errors) =>
        {
            seen = errors;
            return true;
        };
        await using StreamPair pair = await SameMeaningTests.ConnectAsync(plane, server, client);
        return seen!.Value;
    }

    private static void Set(X509ChainPolicy policy, string name)
    {
        switch (name)
        {
            case nameof(X509ChainPolicy.ApplicationPolicy):
                policy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.3"));
                break;
            case nameof(X509ChainPolicy.CertificatePolicy):
                policy.CertificatePolicy.Add(new Oid("2.23.140.1.2.1"));
                break;
            case nameof(X509ChainPolicy.CustomTrustStore) or nameof(X509ChainPolicy.TrustMode):
                // Both are set in TestPki.Client().
                break;
            case nameof(X509ChainPolicy.DisableCertificateDownloads):
                policy.DisableCertificateDownloads = true;
                break;
            case nameof(X509ChainPolicy.ExtraStore):
                policy.ExtraStore.Add(Extra);
                break;
            case nameof(X509ChainPolicy.RevocationFlag):
                policy.RevocationFlag = X509RevocationFlag.EntireChain;
                break;
            case nameof(X509ChainPolicy.RevocationMode):
                policy.RevocationMode = X509RevocationMode.Offline;
                break;
            case nameof(X509ChainPolicy.UrlRetrievalTimeout):
                policy.UrlRetrievalTimeout = TimeSpan.FromSeconds(3);
                break;
            case nameof(X509ChainPolicy.VerificationFlags):
                policy.VerificationFlags = X509VerificationFlags.IgnoreWrongUsage;
                break;
            case nameof(X509ChainPolicy.VerificationTime):
                policy.VerificationTime = Then;
                break;
            case nameof(X509ChainPolicy.VerificationTimeIgnored):
                policy.VerificationTimeIgnored = false;
                break;
            default:
                throw new InvalidOperationException($"X509ChainPolicy has a member that this test does not know: {name}.");
        }
    }

    private static string Show(PropertyInfo property, X509ChainPolicy policy) => property.GetValue(policy) switch
    {
        OidCollection oids => string.Join(",", oids.Cast<Oid>().Select(oid => oid.Value)),
        X509Certificate2Collection certificates => string.Join(",", certificates.Select(certificate => certificate.Thumbprint)),
        DateTime time => property.Name == nameof(X509ChainPolicy.VerificationTime) ? time.ToString("O") : string.Empty,
        var other => other!.ToString()!,
    };
}
