using System.Security.Authentication;
using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>The credentials of a connection, and the choice among them.</summary>
internal sealed class ShimCredentials
{
    private const int None = -2;
    private const int Default = -1;

    private readonly ConnectionFlags _flags;

    // With their numbers: the runner wants to know which one served. The default one is the last resort.
    private readonly List<(int Number, CredentialFlags Flags, CertificateCredential Credential)> _all = [];

    public ShimCredentials(ConnectionFlags flags)
    {
        _flags = flags;
        foreach ((int number, CredentialFlags credential) in flags.Credentials.Index())
        {
            _all.Add((number, credential, Load(credential)));
        }

        if (flags.DefaultCredential.CertificateFile.Length != 0)
        {
            _all.Add((Default, flags.DefaultCredential, Load(flags.DefaultCredential)));
        }
    }

    /// <summary>The number of the credential that was chosen.</summary>
    public int Selected { get; private set; } = None;

    /// <summary>What is wrong with a server's wish.</summary>
    public string? Complaint { get; private set; }

    public CertificateCredential SelectForClient(ClientHello hello)
    {
        bool isTls13 = hello.OffersTls13 && (_flags.Protocols & SslProtocols.Tls13) != 0;
        foreach ((int number, _, CertificateCredential credential) in _all)
        {
            if (credential.SchemesFor(isTls13).Any(hello.Offers))
            {
                Selected = number;
                return credential;
            }
        }

        // The handshake itself says what is wrong.
        return _all[^1].Credential;
    }

    public CertificateCredential? SelectForServer(ClientCertificateRequest request)
    {
        if (_flags.ExpectedCertificateAuthorities is { } names && !names.Select(Convert.ToHexString).SequenceEqual(request.CertificateAuthorities.Select(Convert.ToHexString)))
        {
            Complaint = "The certificate authorities of the CertificateRequest are not the expected ones.";
        }

        if (_flags.ExpectedVerifySchemes.Count != 0 && !_flags.ExpectedVerifySchemes.SequenceEqual(request.SignatureSchemes))
        {
            Complaint = "The signature schemes of the CertificateRequest are not the expected ones.";
        }

        foreach ((int number, CredentialFlags flags, CertificateCredential credential) in _all)
        {
            bool Fits(CertificateCredential candidate) => candidate.SchemesFor(tls13: true).Concat(candidate.SchemesFor(tls13: false)).Any(request.SignatureSchemes.Contains);
            if (new ClientCredentials(credential).Select(flags.MustMatchIssuer ? request.CertificateAuthorities.ToArray() : [], Fits) is not null)
            {
                Selected = number;
                return credential;
            }
        }

        return null;
    }

    private CertificateCredential Load(CredentialFlags flags)
    {
        try
        {
            CertificateCredential credential = CertificateCredential.FromPem(File.ReadAllText(flags.CertificateFile), File.ReadAllText(flags.KeyFile));
            credential = _flags.IsAsync ? CertificateCredential.Create(credential.Certificates, new SignerElsewhere(credential)) : credential;
            if (flags.OcspResponse.Length != 0)
            {
                credential.StapleUnchecked(flags.OcspResponse);
            }

            return credential;
        }
        catch (CredentialException e)
        {
            throw new UnimplementedException(e.Message);
        }
    }

    private sealed class SignerElsewhere(CertificateCredential credential) : ICertificateSigner
    {
        public ValueTask<byte[]> SignAsync(SignatureScheme scheme, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
            credential.SignAsync(scheme, content, cancellationToken);
    }
}
