using System.Net;
using System.Net.Sockets;
using KTls.Kernel;

namespace KTls.DataPlane;

/// <summary>
/// Whether this kernel can change the keys of a direction (Linux 6.14, or a distribution's backport): tried once on a
/// connection of our own, for a version number does not tell.
/// </summary>
internal static class RekeySupport
{
    private static readonly Lazy<bool> Tried = new(Try);

    public static bool IsAvailable => Tried.Value;

    private static bool Try()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(listener.LocalEndPoint!);
        using var socket = new KernelSocket(client.SafeHandle);

        // These keys protect nothing: no byte is ever sent.
        Span<byte> zeros = stackalloc byte[28];
        zeros.Clear();
        return socket.AttachUlp() == 0
            && socket.SetKeys(KernelDirection.Send, CryptoInfo.Tls13, KernelCipher.AesGcm128, zeros[..16], zeros[16..], 0) == 0
            && socket.SetKeys(KernelDirection.Send, CryptoInfo.Tls13, KernelCipher.AesGcm128, zeros[..16], zeros[16..], 0) == 0;
    }
}
