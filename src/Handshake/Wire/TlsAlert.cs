using System.Diagnostics.CodeAnalysis;

namespace KTls.Handshake;

/// <summary>The two bytes of an alert (RFC 8446 §6).</summary>
[Experimental(Maturity.Experimental)]
public static class TlsAlert
{
    /// <summary>Bytes of an alert.</summary>
    public const int Size = 2;

    private const byte Warning = 1;
    private const byte Fatal = 2;

    /// <summary>
    /// Whether an alert is a warning that a connection of TLS 1.2 outlives, by its level (RFC 5246 §7.2). close_notify is not.
    /// </summary>
    /// <param name="content">The content of an alert record, of <see cref="Size"/> bytes.</param>
    /// <returns>True when nothing has to end.</returns>
    public static bool IsWarning(ReadOnlySpan<byte> content) => content[0] == Warning && content[1] != (byte)AlertDescription.CloseNotify;

    /// <summary>Encodes an alert.</summary>
    /// <param name="description">What it says.</param>
    /// <returns>The content of an alert record.</returns>
    public static byte[] Create(AlertDescription description) =>
        [description is AlertDescription.CloseNotify or AlertDescription.UserCanceled or AlertDescription.NoRenegotiation ? Warning : Fatal, (byte)description];

    /// <summary>Reads an alert that came after the handshake. The level says nothing in TLS 1.3 (RFC 8446 §6).</summary>
    /// <param name="content">The content of an alert record.</param>
    /// <returns>What the alert says.</returns>
    /// <exception cref="TlsAlertException">The alert is not of two bytes.</exception>
    public static AlertDescription Read(ReadOnlySpan<byte> content) => content.Length == Size
        ? (AlertDescription)content[1]
        : throw new TlsAlertException(AlertDescription.DecodeError, "An alert that is not of two bytes.");
}
