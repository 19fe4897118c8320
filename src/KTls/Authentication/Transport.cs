using System.Net.Sockets;
using KTls.Fallback;
using KTls.Kernel;

namespace KTls.Authentication;

/// <summary>The socket of a handshake that is ours, ready for the kernel where that is wanted.</summary>
internal static class Transport
{
    private static readonly Obstacle NoModule = NoKernelTls(new KernelTlsException(KernelCalls.AttachUlp, ErrorNumber.ENOENT));

    /// <summary>What keeps the kernel from every socket, as far as it is known without a look at one; null: nothing.</summary>
    public static Obstacle? KnownObstacle => KernelTlsModule.IsKnownToBeMissing ? NoModule : null;

    /// <summary>Takes the socket over and, where it is to be the kernel, attaches kernel TLS before the first byte.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="attach">Whether to attach kernel TLS.</param>
    /// <param name="obstacle">What keeps the kernel from it; null: nothing.</param>
    /// <returns>The socket.</returns>
    /// <exception cref="IOException">The connection is gone already.</exception>
    public static KernelSocket Open(Socket socket, bool attach, ref Obstacle? obstacle)
    {
        var transport = new KernelSocket(socket.SafeHandle);
        if (attach && KernelTlsModule.TryAttach(transport) is { } failure)
        {
            // Not the kernel's refusal, but what became of the connection: the peer has reset it, or will send nothing more (tls_init).
            if (failure.Errno == ErrorNumber.ENOTCONN)
            {
                transport.Dispose();
                throw new IOException(failure.Message, new SocketException((int)SocketError.NotConnected));
            }

            obstacle = NoKernelTls(failure);
        }

        return transport;
    }

    private static Obstacle NoKernelTls(KernelTlsException failure) => new(FallbackReason.NoKernelTls, failure.Message.TrimEnd('.'));
}
