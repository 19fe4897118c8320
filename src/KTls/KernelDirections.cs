namespace KTls;

/// <summary>The directions of a connection that the kernel may take over.</summary>
[Flags]
public enum KernelDirections
{
    /// <summary>Neither direction.</summary>
    None = 0,

    /// <summary>Sending: the kernel seals records, and files leave by sendfile(2).</summary>
    Send = 1,

    /// <summary>Receiving: the kernel opens records.</summary>
    Receive = 2,

    /// <summary>Both directions.</summary>
    Both = Send | Receive,
}
