using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Handshake.Tests.Credentials;

/// <summary>The certificates that are sent, and their order.</summary>
public sealed class ChainTests
{
    private static readonly ECDsa Key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    [Fact]
    public void Any_order_becomes_the_one_from_the_leaf_upwards_without_the_root()
    {
        var root = Certificates.Authority("root");
        var upper = Certificates.Authority("upper", root);
        var lower = Certificates.Authority("lower", upper);
        X509Certificate2 stranger = Certificates.Authority("stranger", root).Certificate;
        X509Certificate2 leaf = Certificates.Issue("leaf", Key, lower);
        X509Certificate2[] all = [root.Certificate, upper.Certificate, stranger, leaf, lower.Certificate, upper.Certificate, leaf];
        AssertChain([leaf, lower.Certificate, upper.Certificate], all);
        AssertChain([leaf, lower.Certificate, upper.Certificate], [.. all.Reverse()]);
    }

    [Fact]
    public void A_gap_ends_the_chain()
    {
        var root = Certificates.Authority("root");
        var upper = Certificates.Authority("upper", root);
        var lower = Certificates.Authority("lower", upper);
        X509Certificate2 leaf = Certificates.Issue("leaf", Key, lower);
        AssertChain([leaf], [upper.Certificate, leaf]);
    }

    [Fact]
    public void A_self_signed_certificate_is_sent_alone()
    {
        X509Certificate2 leaf = Certificates.Issue("self", Key, issuer: null);
        AssertChain([leaf], [leaf, Certificates.Authority("other").Certificate]);
    }

    [Fact]
    public void A_root_that_another_root_has_signed_is_sent()
    {
        var old = Certificates.Authority("old root");
        var root = Certificates.Authority("new root");
        X509Certificate2 cross = Certificates.Authority("new root", old, root.Key).Certificate;
        X509Certificate2 leaf = Certificates.Issue("leaf", Key, root);
        AssertChain([leaf, cross], [leaf, root.Certificate, cross, old.Certificate]);
    }

    [Fact]
    public void Roots_that_have_signed_each_other_end_the_chain()
    {
        var a = Certificates.Authority("a");
        var b = Certificates.Authority("b");
        X509Certificate2 aByB = Certificates.Authority("a", b, a.Key).Certificate;
        X509Certificate2 bByA = Certificates.Authority("b", a, b.Key).Certificate;
        X509Certificate2 leaf = Certificates.Issue("leaf", Key, a);
        AssertChain([leaf, aByB, bByA], [leaf, bByA, aByB]);
    }

    [Fact]
    public void Of_authorities_with_the_same_name_the_one_with_the_right_key_counts()
    {
        var root = Certificates.Authority("root");
        var before = Certificates.Authority("authority", root, days: 300);
        var after = Certificates.Authority("authority", root);
        X509Certificate2 leaf = Certificates.Issue("leaf", Key, after);
        AssertChain([leaf, after.Certificate], [leaf, before.Certificate, after.Certificate]);
    }

    [Fact]
    public void Of_an_authority_that_was_renewed_the_newest_certificate_counts()
    {
        var root = Certificates.Authority("root");
        var before = Certificates.Authority("authority", root, days: 20);
        var renewed = Certificates.Authority("authority", root, before.Key, days: 300);
        X509Certificate2 leaf = Certificates.Issue("leaf", Key, before);
        AssertChain([leaf, renewed.Certificate], [leaf, before.Certificate, renewed.Certificate]);
    }

    private static void AssertChain(X509Certificate2[] expected, X509Certificate2[] given)
    {
        CertificateCredential credential = CertificateCredential.FromPkcs8(given, Key.ExportPkcs8PrivateKey());
        Assert.Equal(expected.Select(certificate => certificate.Subject), credential.Certificates.Select(certificate => certificate.Subject));
        Assert.Equal(expected.Select(certificate => certificate.RawData), credential.Chain);
    }
}
