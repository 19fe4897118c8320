using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using KTls.Handshake;
using KTls.Handshake.Tests.Credentials;

namespace KTls.Tests.Credentials;

/// <summary>Credentials from files, in the eyes of the openssl command as the client.</summary>
public sealed class OpenSslClientTests(OpenSslFiles files) : IClassFixture<OpenSslFiles>
{
    public static TheoryData<string, string, string> Matrix => new()
    {
        { "p256", "-tls1_3", "ecdsa_secp256r1_sha256" },
        { "p256", "-tls1_2", "ecdsa_secp256r1_sha256" },
        { "p256", "-tls1_2", "ecdsa_secp521r1_sha512" },
        { "p384", "-tls1_3", "ecdsa_secp384r1_sha384" },
        { "p384", "-tls1_2", "ecdsa_secp256r1_sha256" },
        { "p521", "-tls1_3", "ecdsa_secp521r1_sha512" },
        { "p521", "-tls1_2", "ecdsa_secp384r1_sha384" },
        { "rsa", "-tls1_3", "rsa_pss_rsae_sha512" },
        { "rsa", "-tls1_2", "rsa_pss_rsae_sha256" },
        { "rsa", "-tls1_2", "rsa_pkcs1_sha384" },
        { "pss", "-tls1_3", "rsa_pss_pss_sha256" },
        { "pss", "-tls1_2", "rsa_pss_pss_sha512" },
        { "pss384", "-tls1_3", "rsa_pss_pss_sha384" },
        { "pss384", "-tls1_2", "rsa_pss_pss_sha384" },
        { "ed25519", "-tls1_3", "ed25519" },
        { "ed25519", "-tls1_2", "ed25519" },
    };

    [Theory, MemberData(nameof(Matrix))]
    public async Task Every_kind_of_key_with_its_chain_and_OCSP_response(string kind, string version, string scheme)
    {
        files.Make(kind);
        files.Run($"ocsp -issuer middle.pem -cert {kind}.pem -reqout {kind}.request");
        files.Run($"ocsp -index index.txt -CA middle.pem -rsigner middle.pem -rkey middle.key -reqin {kind}.request -respout {kind}.ocsp -ndays 1");
        var credential = CertificateCredential.FromFiles(new CertificateFiles { Certificate = files[$"{kind}.chain"], PrivateKey = files[$"{kind}.key"], OcspResponse = files[$"{kind}.ocsp"] });

        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        Task<KTlsStream> serving = ServeAsync(listener, Sites.Options(credential));
        (int exitCode, string output) = await Task.Run(() => files.TryRun(
            $"s_client -connect 127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port} -servername a.example.com -verify_hostname a.example.com -CAfile root.pem -verify_return_error -status -ign_eof {version} -sigalgs {scheme}"));
        await using KTlsStream server = await serving;
        Assert.True(exitCode == 0, output);
        Assert.Equal(DataPlaneKind.UserSpace, server.Sending.Kind);
        Assert.Contains("Verification: OK", output, StringComparison.Ordinal);
        Assert.Contains("Verified peername: *.example.com", output, StringComparison.Ordinal);
        Assert.Contains("OCSP Response Status: successful (0x0)", output, StringComparison.Ordinal);
    }

    /// <summary>An OCSP response that is still about the certificate before, as after a renewal.</summary>
    [Fact]
    public void A_new_certificate_does_not_wait_for_its_OCSP_response()
    {
        foreach (string kind in (string[])["p256", "p384"])
        {
            files.Make(kind);
            files.Run($"ocsp -issuer middle.pem -cert {kind}.pem -reqout {kind}.request");
            files.Run($"ocsp -index index.txt -CA middle.pem -rsigner middle.pem -rkey middle.key -reqin {kind}.request -respout {kind}.ocsp -ndays 1");
        }

        Use("p256", "p256");
        using var served = new ServerCredentialFiles(
            [new CertificateFiles { Certificate = files["now.chain"], PrivateKey = files["now.key"], OcspResponse = files["now.ocsp"], ServerNames = ["given.example"] }],
            new ServerCredentialFilesOptions { Interval = Timeout.InfiniteTimeSpan });
        var failures = new List<string>();
        served.ReloadFailed += (_, e) => failures.Add(e.Message);
        byte[] before = served.Credentials.Current.Single().Certificate.RawData;

        Use("p384", "p256");
        Assert.True(served.Reload());
        CertificateCredential current = served.Credentials.Current.Single();
        Assert.NotEqual(before, current.Certificate.RawData);
        Assert.True(current.OcspResponse.IsEmpty);
        Assert.Equal(["given.example"], current.ServerNames);
        Assert.Equal([$"{files["now.ocsp"]}: the OCSP response is about another certificate"], failures);
        Assert.False(served.Reload());
        Assert.Single(failures);

        Use("p384", "p384");
        Assert.True(served.Reload());
        Assert.Equal(File.ReadAllBytes(files["p384.ocsp"]), served.Credentials.Current.Single().OcspResponse);
        Assert.False(served.Reload());
        Assert.Single(failures);

        // The response alone is damaged, or not there: the one that was good stays.
        File.WriteAllBytes(files["now.ocsp"], File.ReadAllBytes(files["p384.ocsp"])[..100]);
        Assert.False(served.Reload());
        Assert.Equal(2, failures.Count);
        File.Delete(files["now.ocsp"]);
        Assert.False(served.Reload());
        Assert.Equal(File.ReadAllBytes(files["p384.ocsp"]), served.Credentials.Current.Single().OcspResponse);
        Use("p384", "p384");
        Assert.True(served.Reload());

        void Use(string certificate, string response)
        {
            File.Copy(files[$"{certificate}.chain"], files["now.chain"], overwrite: true);
            File.Copy(files[$"{certificate}.key"], files["now.key"], overwrite: true);
            File.Copy(files[$"{response}.ocsp"], files["now.ocsp"], overwrite: true);
        }
    }

    // One connection, which the server ends.
    private static async Task<KTlsStream> ServeAsync(Socket listener, KTlsOptions kernelOptions)
    {
        Socket socket = await listener.AcceptAsync();
        KTlsStream stream = await KTlsStream.AuthenticateAsServerAsync(socket, new SslServerAuthenticationOptions(), kernelOptions);
        await stream.ShutdownAsync();
        return stream;
    }
}
