using KTls.Kernel;

namespace KTls;

/// <summary>
/// Kernel TLS refused a request or met a record that it cannot open. What happens to any TCP connection (reset, timed out)
/// is an <see cref="IOException"/> around a <see cref="System.Net.Sockets.SocketException"/> instead.
/// </summary>
public sealed class KernelTlsException : IOException
{
    /// <summary>Creates the exception for a failed call.</summary>
    /// <param name="call">The call, such as <c>setsockopt(TLS_TX)</c>.</param>
    /// <param name="errno">The error number that it set, positive.</param>
    /// <exception cref="ArgumentNullException"><paramref name="call"/> is null.</exception>
    public KernelTlsException(string call, int errno)
        : base(Describe(call ?? throw new ArgumentNullException(nameof(call)), errno))
    {
        Call = call;
        Errno = errno;
    }

    /// <summary>The call that failed, such as <c>setsockopt(TLS_TX)</c> or <c>recvmsg</c>.</summary>
    public string Call { get; }

    /// <summary>The Linux error number, such as 74 for EBADMSG (errno(3)).</summary>
    public int Errno { get; }

    private static string Describe(string call, int errno)
    {
        string failure = $"{call} failed with {ErrorNumber.NameOf(errno)} ({errno})";
        return Explain(call, errno) is string explanation ? $"{failure}: {explanation}" : $"{failure}.";
    }

    // The same errno means different things to the option that attaches kernel TLS, to those that install keys, and to I/O.
    private static string? Explain(string call, int errno) => (call, errno) switch
    {
        (KernelCalls.AttachUlp, ErrorNumber.ENOENT) =>
            "the kernel has no TLS module loaded. Load it with 'modprobe tls', or build the kernel with CONFIG_TLS.",
        (KernelCalls.AttachUlp, ErrorNumber.ENOTCONN) => "the TCP connection is not established, or no longer.",
        (KernelCalls.AttachUlp, ErrorNumber.ENOPROTOOPT or ErrorNumber.EOPNOTSUPP) =>
            "this is not a TCP socket, or the kernel is older than 4.13.",
        (KernelCalls.AttachUlp or KernelCalls.SetSendKeys or KernelCalls.SetReceiveKeys, ErrorNumber.EPERM or ErrorNumber.EACCES) =>
            "a seccomp profile or a security module forbids it. Allow setsockopt with level 6, option 31, and with level 282.",
        (KernelCalls.SetSendKeys or KernelCalls.SetReceiveKeys, ErrorNumber.EBUSY) =>
            "this direction has keys already and the kernel cannot replace them: a key update needs TLS 1.3 and Linux 6.14 or later.",
        (KernelCalls.SetSendKeys or KernelCalls.SetReceiveKeys, ErrorNumber.ENOENT or ErrorNumber.ENOPROTOOPT) =>
            "the kernel's crypto layer lacks the cipher. Load its module (gcm, ccm, chacha20poly1305) or choose another cipher suite.",
        (KernelCalls.SetSendKeys or KernelCalls.SetReceiveKeys, ErrorNumber.EINVAL) =>
            "the kernel does not know this version or cipher, or both directions do not agree on them.",
        (_, ErrorNumber.ENOMEM) => "the kernel has no memory for it.",
        (_, ErrorNumber.EMFILE) => "the process has as many descriptors as it may (ulimit -n).",
        (_, ErrorNumber.ENOSPC) => "the user watches as many descriptors as he may (fs.epoll.max_user_watches).",
        (KernelCalls.ExpectNoPadding or KernelCalls.SendFilesWithoutCopy or KernelCalls.LimitRecordPayload, ErrorNumber.ENOPROTOOPT) =>
            "the kernel is too old to know this option.",
        (_, ErrorNumber.EBADMSG) =>
            "a record failed authentication (bad_record_mac). It was damaged or forged, or the keys do not match; close the connection.",
        (_, ErrorNumber.EMSGSIZE) => "a record is longer than TLS allows (record_overflow); close the connection.",
        (_, ErrorNumber.EKEYEXPIRED) => "the peer has changed its keys (KeyUpdate); reading goes on after TLS_RX has the new ones.",
        (KernelCalls.Receive, ErrorNumber.EIO) =>
            "a control record is next (alert, handshake), which only a receive with its content type can take.",
        (KernelCalls.ReceiveRecord, ErrorNumber.EIO) => "the content type of a record did not fit its control message.",
        (KernelCalls.ReceiveRecord or KernelCalls.Receive, ErrorNumber.EINVAL) =>
            "a record has the wrong protocol version or content type; close the connection.",
        _ => null,
    };
}
