using KTls.Handshake;

namespace KTls.Fuzz.Handshakes;

/// <summary>The keys that a record is sealed with.</summary>
internal enum Epoch
{
    Plain,

    /// <summary>TLS 1.3: the handshake's keys. TLS 1.2: the keys after change_cipher_spec, which are all that there are.</summary>
    Handshake,

    /// <summary>TLS 1.3: the first keys of application data.</summary>
    Application,
}

/// <summary>The content of a record.</summary>
/// <param name="Epoch">What it is sealed with.</param>
/// <param name="Type">Its type.</param>
/// <param name="Content">The content.</param>
internal sealed record Fragment(Epoch Epoch, ContentType Type, byte[] Content)
{
    /// <summary>Zeros behind the content (RFC 8446 §5.4).</summary>
    public int Padding { get; init; }

    public bool IsHandshake => Type == ContentType.Handshake;

    public override string ToString() => $"{Epoch} {Type} of {Content.Length} bytes: {Convert.ToHexStringLower(Content.AsSpan(0, Math.Min(Content.Length, 48)))}{(Padding == 0 ? string.Empty : $", {Padding} zeros")}";

    /// <summary>Whether it belongs to the handshake itself: the tickets of TLS 1.3 come after it.</summary>
    public bool IsOfHandshake => IsHandshake && Epoch != Epoch.Application;
}
