using System.Net.Sockets;
using System.Security.Authentication;
using KTls.Kernel;

namespace KTls.Authentication;

/// <summary>The socket of a handshake that is ours, ready for the kernel where that is wanted.</summary>
internal static class Transport
{
    /// <summary>Takes the socket over and attaches kernel TLS before the first byte.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="policy">Who may seal and open.</param>
    /// <param name="reason">When null is returned: why SslStream has to serve.</param>
    /// <returns>The socket, or null.</returns>
    public static KernelSocket? TryOpen(Socket socket, DataPlanePolicy policy, out string reason)
    {
        reason = string.Empty;
        if (!OperatingSystem.IsLinux())
        {
            reason = "this is not Linux";
            return null;
        }

        var transport = new KernelSocket(socket.SafeHandle);
        if (policy != DataPlanePolicy.UserSpace && KernelTlsModule.TryAttach(transport) is { } failure)
        {
            reason = failure.Message.TrimEnd('.');
            Release(transport, socket);
            return null;
        }

        return transport;
    }

    /// <summary>Gives the socket back to .NET's own I/O.</summary>
    public static void Release(KernelSocket transport, Socket socket)
    {
        transport.Dispose();

        // The descriptor is non-blocking now. Only this way does Socket notice; then it emulates blocking by itself.
        socket.Blocking = false;
        socket.Blocking = true;
    }

    /// <summary>Whoever requires the kernel gets no SslStream.</summary>
    /// <exception cref="AuthenticationException">The policy requires the kernel.</exception>
    public static void ThrowIfRequired(DataPlanePolicy policy, string reason)
    {
        if (policy == DataPlanePolicy.RequireKernel)
        {
            throw new AuthenticationException($"The options require kernel TLS, which cannot serve this connection: {reason}.");
        }
    }
}
