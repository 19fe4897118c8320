using System.Diagnostics;

namespace KTls.Handshake.Tests.Credentials;

/// <summary>A root, an intermediate and a certificate for every kind of key, all made by the openssl command.</summary>
public sealed class OpenSslFiles : IDisposable
{
    public const string Password = "open sesame";

    /// <summary>Kinds of keys: the arguments of genpkey.</summary>
    private static readonly Dictionary<string, string> Kinds = new()
    {
        ["p256"] = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        ["p384"] = "-algorithm EC -pkeyopt ec_paramgen_curve:P-384",
        ["p521"] = "-algorithm EC -pkeyopt ec_paramgen_curve:P-521",
        ["rsa"] = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
        ["pss"] = "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048",
        ["pss384"] = "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha384 -pkeyopt rsa_pss_keygen_mgf1_md:sha384 -pkeyopt rsa_pss_keygen_saltlen:48",
        ["ed25519"] = "-algorithm ED25519",
        ["short"] = "-algorithm RSA -pkeyopt rsa_keygen_bits:1024",
        ["k256"] = "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
        ["ed448"] = "-algorithm ED448",
    };

    private readonly TempFolder _folder = new();
    private readonly HashSet<string> _made = [];
    private readonly Lock _making = new();

    public OpenSslFiles()
    {
        File.WriteAllText(this["ca.ext"], "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n");
        File.WriteAllText(this["leaf.ext"], "subjectAltName=DNS:localhost,DNS:*.example.com\nauthorityKeyIdentifier=keyid\nkeyUsage=digitalSignature\n");
        Run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root.key -out root.pem -subj /CN=Root -days 30");
        Run("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout middle.key -out middle.csr -subj /CN=Middle");
        Run("x509 -req -in middle.csr -CA root.pem -CAkey root.key -set_serial 2 -days 30 -extfile ca.ext -out middle.pem");
        File.WriteAllText(this["index.txt"], string.Empty);
    }

    public string this[string file] => _folder[file];

    public string Folder => _folder.Name;

    public string Text(string file) => File.ReadAllText(this[file]);

    /// <summary>Makes KIND.key (PKCS#8 in PEM), KIND.pem, KIND.pub and KIND.chain (the certificate and the intermediate), once.</summary>
    public void Make(string kind)
    {
        lock (_making)
        {
            if (!_made.Add(kind))
            {
                return;
            }

            Run($"genpkey {Kinds[kind]} -out {kind}.key");
            Run($"pkey -in {kind}.key -pubout -out {kind}.pub");
            string options = kind == "pss384" ? "-sha384" : string.Empty;
            Run($"req -new -key {kind}.key {options} -out {kind}.csr -subj /CN={kind}");
            Run($"x509 -req -in {kind}.csr -CA middle.pem -CAkey middle.key -set_serial {100 + _made.Count} -days 30 -extfile leaf.ext -out {kind}.pem");
            File.WriteAllText(this[$"{kind}.chain"], Text($"{kind}.pem") + Text("middle.pem"));
        }
    }

    /// <summary>Runs openssl in the folder; its failure fails the test.</summary>
    /// <returns>What it prints.</returns>
    public string Run(string arguments)
    {
        (int exitCode, string output) = TryRun(arguments);
        return exitCode == 0 ? output : throw new InvalidOperationException($"openssl {arguments}: {output}");
    }

    public (int ExitCode, string Output) TryRun(string arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo("openssl", arguments.Replace("PASSWORD", $"\"pass:{Password}\"", StringComparison.Ordinal))
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.GetAwaiter().GetResult());
    }

    public void Dispose() => _folder.Dispose();
}
