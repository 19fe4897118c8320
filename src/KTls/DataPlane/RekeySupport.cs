using System.Net;
using System.Net.Sockets;
using KTls.Kernel;

namespace KTls.DataPlane;

/// <summary>
/// Whether this kernel can change the keys of a direction (TLS 1.3 in Linux 6.14, or in a distribution's backport): tried once per
/// process and cipher on a connection of our own, for a version number does not tell.
/// </summary>
internal static class RekeySupport
{
    private static readonly Lock Trying = new();
    private static readonly Dictionary<KernelCipher, bool> Known = [];

    /// <summary>Whether it can. False, too, as long as it cannot be tried: for want of descriptors, say.</summary>
    public static bool IsAvailable(KernelCipher cipher)
    {
        lock (Trying)
        {
            if (!Known.TryGetValue(cipher, out bool isAvailable) && TryOut(cipher) is { } result)
            {
                Known.Add(cipher, isAvailable = result);
            }

            return isAvailable;
        }
    }

    private static bool? TryOut(KernelCipher cipher)
    {
        try
        {
            using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen(1);
            using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            client.Connect(listener.LocalEndPoint!);
            using var socket = new KernelSocket(client.SafeHandle);
            return socket.AttachUlp() == 0 && CanChange(socket, KernelDirection.Send, cipher) && CanChange(socket, KernelDirection.Receive, cipher);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return null;
        }
    }

    // These keys protect nothing: no byte is ever sent.
    private static bool CanChange(KernelSocket socket, KernelDirection direction, KernelCipher cipher)
    {
        Span<byte> zeros = stackalloc byte[CryptoInfo.MaxSize];
        zeros.Clear();
        ReadOnlySpan<byte> key = zeros[..CryptoInfo.KeySizeOf(cipher)];
        ReadOnlySpan<byte> iv = zeros[..CryptoInfo.NonceSize];
        return socket.SetKeys(direction, CryptoInfo.Tls13, cipher, key, iv, 0) == 0
            && socket.SetKeys(direction, CryptoInfo.Tls13, cipher, key, iv, 0) == 0;
    }
}
