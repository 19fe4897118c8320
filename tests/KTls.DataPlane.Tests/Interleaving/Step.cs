namespace KTls.DataPlane.Tests.Interleaving;

/// <summary>What can happen to a connection. The peer's steps put something into our socket; a read meets it, now or later.</summary>
internal enum Step
{
    /// <summary>Begins a read, unless one is waiting.</summary>
    Read,
    PeerWrites,
    PeerUpdates,

    /// <summary>A KeyUpdate that asks for one of ours.</summary>
    PeerRequestsUpdate,

    /// <summary>A session ticket arrives, every second one in two records.</summary>
    Ticket,

    /// <summary>Begins a read without room, unless a read is waiting: it ends when something can be read, and takes nothing.</summary>
    ReadWithoutRoom,
    Write,
    SendFile,
    Update,

    /// <summary>A KeyUpdate of ours that asks for one of the peer.</summary>
    RequestUpdate,

    // The ends.
    Shutdown,
    Dispose,
    PeerCloses,
    PeerEndsTcp,
    PeerResets,
}
