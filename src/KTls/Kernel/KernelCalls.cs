namespace KTls.Kernel;

/// <summary>The names by which exceptions tell which call failed.</summary>
internal static class KernelCalls
{
    public const string AttachUlp = "setsockopt(TCP_ULP)";
    public const string SetSendKeys = "setsockopt(TLS_TX)";
    public const string SetReceiveKeys = "setsockopt(TLS_RX)";
    public const string GetReceiveKeys = "getsockopt(TLS_RX)";
    public const string ExpectNoPadding = "setsockopt(TLS_RX_EXPECT_NO_PAD)";
    public const string SendFilesWithoutCopy = "setsockopt(TLS_TX_ZEROCOPY_RO)";
    public const string LimitRecordPayload = "setsockopt(TLS_TX_MAX_PAYLOAD_LEN)";
    public const string Receive = "recv";
    public const string ReceiveRecord = "recvmsg";
    public const string Send = "send";
    public const string SendRecord = "sendmsg";
    public const string SendFile = "sendfile";
    public const string Poll = "poll";
}
