using System.Security.Cryptography;

namespace KTls.Handshake;

/// <summary>Text with PEM blocks (RFC 7468); what stands around them is a comment.</summary>
internal static class Pem
{
    private const string Begin = "-----BEGIN ";

    public static bool IsPem(ReadOnlySpan<byte> content) => content.IndexOf("-----BEGIN "u8) >= 0;

    /// <exception cref="CredentialException">A block is damaged or not supported.</exception>
    public static void Read(ReadOnlySpan<char> text, CredentialMaterial material, CredentialParts parts, string? password)
    {
        while (PemEncoding.TryFind(text, out PemFields fields))
        {
            ExpectNoBlock(text[..fields.Location.Start.Value], parts);
            byte[] content = new byte[fields.DecodedDataLength];
            try
            {
                Convert.TryFromBase64Chars(text[fields.Base64Data], content, out _);
                ReadBlock(text[fields.Label].ToString(), content, material, parts, password);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(content);
            }

            text = text[fields.Location.End..];
        }

        ExpectNoBlock(text, parts);
    }

    private static void ReadBlock(string label, byte[] content, CredentialMaterial material, CredentialParts parts, string? password)
    {
        bool isPrivateKey = IsPrivateKey(label);
        if (!parts.HasFlag(isPrivateKey ? CredentialParts.PrivateKeys : CredentialParts.Certificates))
        {
            return;
        }

        switch (label)
        {
            case "CERTIFICATE" or "X509 CERTIFICATE":
                material.AddCertificate(content);
                break;
            case "PKCS7" or "CMS":
                Pkcs7.Read(content, material);
                break;
            default:
                // EC PARAMETERS, DH PARAMETERS and the like are of no use here.
                if (isPrivateKey)
                {
                    material.PrivateKeys.Add(PrivateKeyReader.Read(label, content, password));
                }

                break;
        }
    }

    // The reader of PEM passes over what it cannot read: a file that is half written would lose the end of its chain.
    private static void ExpectNoBlock(ReadOnlySpan<char> text, CredentialParts parts)
    {
        if (text.Contains("----------BEGIN ", StringComparison.Ordinal))
        {
            throw new CredentialException("between two PEM blocks in it the line break is missing");
        }

        for (int begin; (begin = text.IndexOf(Begin, StringComparison.Ordinal)) >= 0;)
        {
            text = text[(begin + Begin.Length)..];
            int end = text.IndexOf("-----", StringComparison.Ordinal);
            string label = end is > 0 and < 64 ? text[..end].ToString() : string.Empty;
            if (!IsPrivateKey(label))
            {
                throw new CredentialException("a PEM block in it is damaged or incomplete");
            }

            // OpenSSL's encryption of old puts headers into the block, which RFC 7468 §2 knows no more.
            if (parts.HasFlag(CredentialParts.PrivateKeys))
            {
                throw new CredentialException(text.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal)
                    ? "the private key has an outdated encryption; 'openssl pkcs8 -topk8' gives it a new one"
                    : "the private key is damaged or incomplete");
            }
        }
    }

    private static bool IsPrivateKey(string label) => label.EndsWith("PRIVATE KEY", StringComparison.Ordinal);
}
