using System.Net.Sockets;
using KTls.Diagnostics;

namespace KTls.Kernel;

/// <summary>Counts a failed call, and turns its errno into the exception that callers of streams know.</summary>
internal static class SocketFailure
{
    /// <summary>
    /// An <see cref="IOException"/> around a <see cref="SocketException"/>, as NetworkStream throws it, for what happens to
    /// any TCP connection; a <see cref="KernelTlsException"/> for what only kernel TLS says.
    /// </summary>
    public static IOException ToException(string call, int errno)
    {
        Instruments.KernelError(call, errno);
        if (ToSocketError(errno) is not SocketError error)
        {
            return new KernelTlsException(call, errno);
        }

        SocketException inner = new((int)error);
        return new IOException($"{call} failed on the connection ({ErrorNumber.NameOf(errno)}): {inner.Message}", inner);
    }

    /// <summary>What the kernel says no to: the ULP, or keys.</summary>
    public static KernelTlsException ToRefusal(string call, int errno)
    {
        Instruments.KernelError(call, errno);
        return new KernelTlsException(call, errno);
    }

    // The same pairs as in .NET's own sockets (SocketErrorPal), so that callers see the codes they are used to.
    private static SocketError? ToSocketError(int errno) => errno switch
    {
        ErrorNumber.EPIPE => SocketError.Shutdown,
        ErrorNumber.ENETDOWN => SocketError.NetworkDown,
        ErrorNumber.ENETUNREACH => SocketError.NetworkUnreachable,
        ErrorNumber.ENETRESET => SocketError.NetworkReset,
        ErrorNumber.ECONNABORTED => SocketError.ConnectionAborted,
        ErrorNumber.ECONNRESET => SocketError.ConnectionReset,
        ErrorNumber.ENOBUFS or ErrorNumber.ENOMEM => SocketError.NoBufferSpaceAvailable,
        ErrorNumber.ENOTCONN => SocketError.NotConnected,
        ErrorNumber.ETIMEDOUT => SocketError.TimedOut,
        ErrorNumber.ECONNREFUSED => SocketError.ConnectionRefused,
        ErrorNumber.EHOSTDOWN => SocketError.HostDown,
        ErrorNumber.EHOSTUNREACH => SocketError.HostUnreachable,
        _ => null,
    };
}
