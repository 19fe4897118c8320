using System.Security.Cryptography.X509Certificates;
using KTls.Fuzz.Parsers;
using KTls.Handshake;
using KTls.Handshake.Tests.Credentials;

namespace KTls.Fuzz.Seeds;

/// <summary>Files of every format, as the openssl command writes them. Passwords are stretched by one round, for the fuzzer's sake.</summary>
internal static class CredentialSeeds
{
    private const string Pkcs12Options = "-passout PASSWORD -iter 1";

    public static IEnumerable<(string Target, byte[] Input)> All()
    {
        using var files = new OpenSslFiles();
        string[] kinds = ["p256", "p384", "p521", "rsa", "pss", "pss384", "ed25519", "short", "k256", "ed448"];
        foreach (string kind in kinds)
        {
            files.Make(kind);
            byte[] certificate = Der($"x509 -in {kind}.pem -outform der -out");
            yield return ("PeerCertificate", certificate);
            yield return ("Pkcs7", certificate);
            yield return ("Pkcs8", Der($"pkcs8 -topk8 -nocrypt -in {kind}.key -outform der -out"));
            if (kind is "pss" or "pss384")
            {
                using X509Certificate2 parsed = X509CertificateLoader.LoadCertificate(certificate);
                yield return (nameof(RsassaPssParameters), parsed.PublicKey.EncodedParameters?.RawData ?? []);
            }

            if (kind is "p256" or "ed25519" or "rsa")
            {
                yield return ("Pem", Der($"pkcs8 -topk8 -in {kind}.key -passout PASSWORD -iter 1 -out"));
                yield return ("Pem", [.. File.ReadAllBytes(files[$"{kind}.chain"]), .. File.ReadAllBytes(files[$"{kind}.key"])]);
                yield return ("Pkcs8", Der($"pkcs8 -topk8 -in {kind}.key -outform der -passout PASSWORD -iter 1 -out"));
                yield return (nameof(Pkcs12), Der($"pkcs12 -export -in {kind}.pem -inkey {kind}.key -certfile middle.pem {Pkcs12Options} -out"));
                yield return (nameof(Pkcs12), Der($"pkcs12 -export -in {kind}.pem -inkey {kind}.key -passout pass: -nomac -keypbe NONE -certpbe NONE -out"));
            }
        }

        yield return ("Pkcs8", Der("rsa -traditional -in rsa.key -outform der -out"));
        yield return ("Pkcs8", Der("ec -in p256.key -outform der -out"));
        yield return ("Pem", Der("ec -in p256.key -out"));
        yield return ("Pem", Der("ecparam -name prime256v1 -genkey -out"));
        yield return ("Pem", Der("crl2pkcs7 -nocrl -certfile middle.pem -certfile p256.pem -out"));
        yield return ("Pkcs7", Der("crl2pkcs7 -nocrl -certfile root.pem -certfile middle.pem -certfile p256.pem -outform der -out"));
        yield return (nameof(Pkcs12), Der($"pkcs12 -export -in p256.pem -inkey p256.key {Pkcs12Options} -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1 -out"));
        yield return (nameof(Pkcs12), Der($"pkcs12 -export -nokeys -in p256.chain {Pkcs12Options} -keypbe AES-256-CBC -certpbe NONE -macalg sha512 -out"));
        yield return (nameof(OcspResponse), File.ReadAllBytes(Handshakes.TestKeys.OcspFileOf(AppContext.BaseDirectory)));
        yield return (nameof(OcspResponse), KeyFiles.Respond(files, "p256", "-ndays 2 -resp_key_id"));
        yield return (nameof(OcspResponse), KeyFiles.Respond(files, "p256", "-ndays 2 -resp_no_certs"));
        yield return (nameof(OcspResponse), [0x30, 3, 0x0a, 1, 6]);

        byte[] Der(string command)
        {
            files.Run($"{command} made");
            return File.ReadAllBytes(files["made"]);
        }
    }
}
