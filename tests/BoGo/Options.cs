using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>The handshake options that the flags ask for.</summary>
internal static class Options
{
    public static ClientHandshakeOptions ForClient(ConnectionFlags flags)
    {
        RequireTls13(flags);
        if (flags.CertificateFile.Length != 0)
        {
            throw new UnimplementedException("Client certificates.");
        }

        return new ClientHandshakeOptions
        {
            ServerName = flags.HostName,
            ApplicationProtocols = flags.AdvertisedProtocols,
            Groups = Groups(flags),
        };
    }

    public static ServerHandshakeOptions ForServer(ConnectionFlags flags)
    {
        RequireTls13(flags);
        return new ServerHandshakeOptions
        {
            Credential = LoadCredential(flags.CertificateFile, flags.KeyFile),
            ApplicationProtocols = flags.SelectedProtocol.Length == 0 || flags.DeclinesProtocols ? [] : [new SslApplicationProtocol(flags.SelectedProtocol)],
            Groups = Groups(flags),
        };
    }

    private static void RequireTls13(ConnectionFlags flags)
    {
        if (flags.MaxVersion < 0x0304)
        {
            throw new UnimplementedException("Versions before TLS 1.3.");
        }
    }

    private static IReadOnlyList<NamedGroup> Groups(ConnectionFlags flags) => flags.Groups.Count != 0 ? flags.Groups : SupportedParameters.Groups;

    private static CertificateCredential LoadCredential(string certificateFile, string keyFile)
    {
        X509Certificate2 certificate;
        try
        {
            certificate = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
        }
        catch (System.Security.Cryptography.CryptographicException e)
        {
            throw new UnimplementedException(e.Message);
        }

        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(certificateFile);
        chain.RemoveAt(0);
        var context = SslStreamCertificateContext.Create(certificate, chain, offline: true);
        return CertificateCredential.TryCreate(context, out CertificateCredential? credential, out string? reason)
            ? credential
            : throw new UnimplementedException(reason);
    }
}
