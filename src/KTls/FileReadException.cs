namespace KTls;

/// <summary>
/// A file that was to be sent cannot be read. What was read before is out, and the connection is not concerned: when that fails, it is
/// another <see cref="IOException"/>.
/// </summary>
public sealed class FileReadException : IOException
{
    internal FileReadException(Exception cause)
        : base($"The file cannot be read: {cause.Message}", cause)
    {
    }
}
