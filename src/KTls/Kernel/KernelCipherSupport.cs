using System.Security.Authentication;

namespace KTls;

/// <summary>What the kernel can do with one cipher in one version of TLS.</summary>
public sealed record KernelCipherSupport
{
    internal KernelCipherSupport()
    {
    }

    /// <summary>The cipher, such as AES-128-GCM.</summary>
    public required string Cipher { get; init; }

    /// <summary>The version.</summary>
    public required SslProtocols Protocol { get; init; }

    /// <summary>Whether it takes keys for sending (TLS_TX).</summary>
    public required KernelFeature Send { get; init; }

    /// <summary>Whether it takes keys for receiving (TLS_RX).</summary>
    public required KernelFeature Receive { get; init; }

    /// <summary>Whether both directions' keys can change on a connection (KeyUpdate, RFC 8446 §4.6.3); null in TLS 1.2, which has no such thing.</summary>
    public KernelFeature? Rekey { get; init; }
}
