namespace KTls.Kernel;

/// <content>The options of SOL_TLS beside the keys (include/uapi/linux/tls.h). Each returns 0 or the errno.</content>
internal sealed partial class KernelSocket
{
    /// <summary>
    /// Tells the kernel that the peer does not pad its records (TLS_RX_EXPECT_NO_PAD, Linux 6.0, TLS 1.3 only, after the
    /// receive keys): it then decrypts straight into the caller's buffer. A padded record still arrives, at double the cost.
    /// </summary>
    public unsafe int ExpectNoPadding()
    {
        const int TlsRxExpectNoPad = 4;
        int on = 1;
        return SetOption(SolTls, TlsRxExpectNoPad, &on, sizeof(int));
    }

    /// <summary>
    /// Lets a network device that seals take a file's pages as they are (TLS_TX_ZEROCOPY_RO, Linux 5.19): the file must not change
    /// until the peer has it all. Where software seals it changes nothing.
    /// </summary>
    public unsafe int SendFilesWithoutCopy()
    {
        const int TlsTxZeroCopyRo = 3;
        int on = 1;
        return SetOption(SolTls, TlsTxZeroCopyRo, &on, sizeof(int));
    }

    /// <summary>Seals no more than so many bytes in a record (TLS_TX_MAX_PAYLOAD_LEN, Linux 6.19), for record_size_limit (RFC 8449).</summary>
    public unsafe int LimitRecordPayload(ushort bytes)
    {
        const int TlsTxMaxPayloadLen = 5;
        return SetOption(SolTls, TlsTxMaxPayloadLen, &bytes, sizeof(ushort));
    }
}
