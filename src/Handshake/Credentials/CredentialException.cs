namespace KTls.Handshake;

/// <summary>A certificate or a key that cannot be used; the message says in one line which and why.</summary>
public sealed class CredentialException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="message">What cannot be used, and why.</param>
    /// <param name="innerException">What brought it about.</param>
    public CredentialException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }

    /// <summary>Whether a password would help, where none was given.</summary>
    public bool NeedsPassword { get; internal init; }

    /// <summary>The same, with the name of what it is about before it.</summary>
    internal CredentialException In(string source) => new($"{source}: {Message}", InnerException) { NeedsPassword = NeedsPassword };
}
