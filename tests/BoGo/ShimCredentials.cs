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

    /// <summary>The options with the first credential that serves a client.</summary>
    public ServerHandshakeOptions SelectForClient(ClientHello hello, Func<CertificateCredential, ServerHandshakeOptions> optionsWith)
    {
        foreach ((int number, _, CertificateCredential credential) in _all)
        {
            ServerHandshakeOptions options = optionsWith(credential);
            if (options.FindObstacle(hello) is null)
            {
                Selected = number;
                return options;
            }
        }

        // The handshake itself says what is wrong.
        return optionsWith(_all[^1].Credential);
    }

    /// <summary>The first credential that a server takes.</summary>
    public CertificateCredential? SelectForServer(ClientCertificateRequest request)
    {
        if (_flags.FailsAtCertificate)
        {
            throw new ShimException(":CERT_CB_ERROR:");
        }

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
            IReadOnlyCollection<byte[]> issuers = flags.MustMatchIssuer ? [.. request.CertificateAuthorities] : [];
            if (new ClientCredentials(credential).Select(issuers, request.Accepts) is not null)
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
