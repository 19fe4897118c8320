namespace KTls.DataPlane.Tests.Interleaving;

/// <summary>How far a read comes.</summary>
internal enum ReadOutcome
{
    Waits,

    /// <summary>0 bytes, and there is something to read: of a read without room.</summary>
    Ready,
    Data,

    /// <summary>0 bytes.</summary>
    End,

    /// <summary>As <see cref="Model.ReadFailure"/> says.</summary>
    Failure,

    /// <summary><see cref="ObjectDisposedException"/>.</summary>
    Disposed,
}

/// <summary>How a write, a file, an update or the end of the stream comes out.</summary>
internal enum SendOutcome
{
    Done,

    /// <summary><see cref="PlatformNotSupportedException"/>: the kernel cannot change keys.</summary>
    Unsupported,

    /// <summary><see cref="InvalidOperationException"/>: after close_notify.</summary>
    ShutDown,

    /// <summary>As <see cref="Model.SendFailure"/> says, or the reset.</summary>
    Failure,

    /// <summary><see cref="ObjectDisposedException"/>.</summary>
    Disposed,
}

/// <summary>Why a direction has failed.</summary>
internal enum Failure
{
    None,

    /// <summary><see cref="KeyUpdateUnavailableException"/>.</summary>
    KeysCannotChange,

    /// <summary>An unexpected_message alert to the peer.</summary>
    TooManyMessages,

    /// <summary>Any <see cref="IOException"/>.</summary>
    Reset,
}
