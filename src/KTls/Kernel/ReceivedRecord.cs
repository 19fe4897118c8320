namespace KTls.Kernel;

/// <summary>What one recvmsg brought.</summary>
/// <param name="ContentType">The records' content type (RFC 8446, B.1), 23 for application data; 0 at the end of the stream.</param>
/// <param name="Length">
/// The bytes in the buffer. 0 without <paramref name="EndOfStream"/> is an empty record; the kernel reports one only
/// when the end of the stream or a record of another type follows it, and skips it otherwise.
/// </param>
/// <param name="EndOfStream">True when the peer closed the TCP connection; no record came with it.</param>
/// <param name="EndOfRecord">False when more of this control record is to come; of application data always true.</param>
internal readonly record struct ReceivedRecord(byte ContentType, int Length, bool EndOfStream, bool EndOfRecord = true)
{
    /// <summary>The content type of application data (RFC 8446, B.1).</summary>
    public const byte ApplicationData = 23;
}
