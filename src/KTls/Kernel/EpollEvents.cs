namespace KTls.Kernel;

/// <summary>The event bits of epoll_ctl(2).</summary>
[Flags]
internal enum EpollEvents : uint
{
    None = 0,

    /// <summary>EPOLLIN.</summary>
    Readable = 0x1,

    /// <summary>EPOLLOUT.</summary>
    Writable = 0x4,

    /// <summary>EPOLLERR, always reported.</summary>
    Error = 0x8,

    /// <summary>EPOLLHUP, always reported.</summary>
    HangUp = 0x10,

    /// <summary>EPOLLRDHUP.</summary>
    PeerClosed = 0x2000,

    /// <summary>EPOLLET: an event per change, not for as long as the state lasts.</summary>
    EdgeTriggered = 1u << 31,
}
