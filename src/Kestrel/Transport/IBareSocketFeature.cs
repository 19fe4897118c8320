using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;

namespace KTls.Kestrel.Transport;

/// <summary>A connection from which nobody has read yet.</summary>
internal interface IBareSocketFeature
{
    /// <summary>Hands the socket over; the connection then reads nothing itself. False when somebody has asked for its pipes already.</summary>
    bool TryTakeSocket([NotNullWhen(true)] out Socket? socket);

    /// <summary>The pipes that move what was the socket's data. From now on the connection ends them, and the socket with them.</summary>
    void Attach(StreamPipes pipes);

    /// <summary>Says that the peer has ended its side, or that nothing more can come.</summary>
    void ReportClosed();
}
