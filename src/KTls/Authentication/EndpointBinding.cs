using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Authentication.ExtendedProtection;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KTls.Authentication;

/// <summary>tls-server-end-point (RFC 5929 §4) in the form that .NET's authentication reads: the structure SEC_CHANNEL_BINDINGS, then the data.</summary>
internal sealed class EndpointBinding : ChannelBinding
{
    // Eight numbers of 32 bits, of which the last two tell the data's length and place.
    private const int HeaderSize = 32;
    private const int LengthField = 24;
    private const int PlaceField = 28;

    public EndpointBinding(ReadOnlySpan<byte> hash)
    {
        ReadOnlySpan<byte> prefix = "tls-server-end-point:"u8;
        byte[] token = new byte[HeaderSize + prefix.Length + hash.Length];
        BinaryPrimitives.WriteInt32LittleEndian(token.AsSpan(LengthField), prefix.Length + hash.Length);
        BinaryPrimitives.WriteInt32LittleEndian(token.AsSpan(PlaceField), HeaderSize);
        prefix.CopyTo(token.AsSpan(HeaderSize));
        hash.CopyTo(token.AsSpan(HeaderSize + prefix.Length));
        Size = token.Length;
        SetHandle(Marshal.AllocHGlobal(token.Length));
        Marshal.Copy(token, 0, handle, token.Length);
    }

    public override int Size { get; }

    /// <summary>The hash of a certificate, by the hash of its signature, and SHA-256 for weaker ones; null where RFC 5929 §4.1 names none.</summary>
    public static byte[]? HashOf(X509Certificate2 certificate) => certificate.SignatureAlgorithm.Value switch
    {
        "1.2.840.113549.1.1.4" or "1.2.840.113549.1.1.5" or "1.2.840.10045.4.1" // RSA with MD5 and SHA-1, ECDSA with SHA-1
            or "1.2.840.113549.1.1.11" or "1.2.840.10045.4.3.2" => certificate.GetCertHash(HashAlgorithmName.SHA256),
        "1.2.840.113549.1.1.12" or "1.2.840.10045.4.3.3" => certificate.GetCertHash(HashAlgorithmName.SHA384),
        "1.2.840.113549.1.1.13" or "1.2.840.10045.4.3.4" => certificate.GetCertHash(HashAlgorithmName.SHA512),
        _ => null,
    };

    protected override bool ReleaseHandle()
    {
        Marshal.FreeHGlobal(handle);
        return true;
    }
}
