using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Handshake.Tests.Credentials;

/// <summary>Which credential a client shows.</summary>
public sealed class ClientCredentialsTests
{
    private static readonly (X509Certificate2 Certificate, ECDsa Key) Root = Certificates.Authority("root");
    private static readonly (X509Certificate2 Certificate, ECDsa Key) Middle = Certificates.Authority("middle", Root);
    private static readonly (X509Certificate2 Certificate, ECDsa Key) Other = Certificates.Authority("other");

    private static readonly CertificateCredential ByMiddle = Issue(Middle, Middle.Certificate, Root.Certificate);
    private static readonly CertificateCredential ByRoot = Issue(Root);
    private static readonly CertificateCredential ByOther = Issue(Other);
    private static readonly ClientCredentials All = new(ByMiddle, ByRoot, ByOther);

    [Fact]
    public void Without_issuers_the_first_that_fits()
    {
        Assert.Same(ByMiddle, All.Select([], _ => true));
        Assert.Same(ByRoot, All.Select([], credential => credential != ByMiddle));
        Assert.Null(All.Select([], _ => false));
    }

    [Fact]
    public void The_first_whose_chain_leads_to_an_issuer()
    {
        Assert.Same(ByMiddle, All.Select([Name(Root)], _ => true));
        Assert.Same(ByMiddle, All.Select([Name(Middle)], _ => true));
        Assert.Same(ByRoot, All.Select([Name(Root)], credential => credential != ByMiddle));
        Assert.Same(ByOther, All.Select([Name(Other)], _ => true));
        Assert.Same(ByMiddle, All.Select([Name(Other), Name(Root)], _ => true));
    }

    [Fact]
    public void None_when_no_chain_leads_there()
    {
        Assert.Null(All.Select([Certificates.Authority("unknown").Certificate.SubjectName.RawData], _ => true));
        Assert.Null(All.Select([Array.Empty<byte>()], _ => true));
        Assert.Null(new ClientCredentials().Select([], _ => true));
    }

    private static byte[] Name((X509Certificate2 Certificate, ECDsa Key) authority) => authority.Certificate.SubjectName.RawData;

    private static CertificateCredential Issue((X509Certificate2 Certificate, ECDsa Key) issuer, params X509Certificate2[] chain)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return CertificateCredential.FromPkcs8([Certificates.Issue("client", key, issuer), .. chain], key.ExportPkcs8PrivateKey());
    }
}
