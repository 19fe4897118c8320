namespace KTls;

/// <summary>
/// A key has to change and cannot: the peer or the key's limit wants it, and the kernel does not know how, or TLS 1.2 has no way.
/// </summary>
public sealed class KeyUpdateUnavailableException : IOException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">Which key, why, and what to do.</param>
    /// <param name="innerException">The kernel's refusal, if there was one.</param>
    public KeyUpdateUnavailableException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
