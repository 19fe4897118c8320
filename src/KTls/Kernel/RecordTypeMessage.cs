using System.Runtime.InteropServices;

namespace KTls.Kernel;

/// <summary>
/// The control message (struct cmsghdr and one byte) that carries a record's content type through sendmsg and recvmsg:
/// level SOL_TLS, type TLS_SET_RECORD_TYPE or TLS_GET_RECORD_TYPE (include/uapi/linux/tls.h).
/// </summary>
/// <remarks>Size: CMSG_SPACE(1), which is 24 bytes on 64-bit and 16 bytes on 32-bit systems; CMSG_LEN(1) is 17 and 13.</remarks>
[StructLayout(LayoutKind.Sequential)]
internal struct RecordTypeMessage
{
    private const int SolTls = 282; // SOL_TLS
    private const int SetRecordType = 1; // TLS_SET_RECORD_TYPE
    private const int GetRecordType = 2; // TLS_GET_RECORD_TYPE

    private nuint _length;
    private int _level;
    private int _type;
    private nuint _contentType; // one byte and its padding

    private static nuint LengthWithoutPadding => (nuint)(nuint.Size + sizeof(int) + sizeof(int) + 1);

    /// <summary>The message that gives a record to send its content type.</summary>
    public static RecordTypeMessage ForSending(byte contentType)
    {
        RecordTypeMessage message = new() { _length = LengthWithoutPadding, _level = SolTls, _type = SetRecordType };
        MemoryMarshal.AsBytes(new Span<nuint>(ref message._contentType))[0] = contentType;
        return message;
    }

    /// <summary>The content type in a received control message; false when it is another message.</summary>
    public readonly bool TryGetContentType(nuint receivedLength, out byte contentType)
    {
        contentType = MemoryMarshal.AsBytes(new ReadOnlySpan<nuint>(in _contentType))[0];
        return receivedLength >= LengthWithoutPadding && _length == LengthWithoutPadding
            && _level == SolTls && _type == GetRecordType;
    }
}
