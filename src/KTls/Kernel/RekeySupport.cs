using System.Net.Sockets;

namespace KTls.Kernel;

/// <summary>
/// Whether this kernel can change the keys of a direction (TLS 1.3 in Linux 6.14, or in a distribution's backport): tried once per
/// process and cipher on a connection of our own, for a version number does not tell.
/// </summary>
internal static class RekeySupport
{
    private static readonly Lock Trying = new();
    private static readonly Dictionary<KernelCipher, int> Known = [];

    /// <summary>Whether it can. False, too, as long as it cannot be tried: for want of memory or descriptors.</summary>
    public static bool IsAvailable(KernelCipher cipher) => TryOut(cipher) == 0;

    /// <summary>Tries it, or remembers.</summary>
    /// <returns>0 or the errno of the refusal; null as long as it cannot be tried.</returns>
    public static int? TryOut(KernelCipher cipher)
    {
        lock (Trying)
        {
            if (Known.TryGetValue(cipher, out int known))
            {
                return known;
            }

            int? errno = TryNow(cipher);
            if (errno is { } result)
            {
                Known.Add(cipher, result);
            }

            return errno;
        }
    }

    private static int? TryNow(KernelCipher cipher)
    {
        try
        {
            using ProbeConnection connection = ProbeConnection.Open();
            int errno = connection.Client.AttachUlp();
            foreach (KernelDirection direction in (ReadOnlySpan<KernelDirection>)[KernelDirection.Send, KernelDirection.Receive])
            {
                errno = errno != 0 ? errno : ProbeConnection.SetKeys(connection.Client, direction, CryptoInfo.Tls13, cipher);
                errno = errno != 0 ? errno : ProbeConnection.SetKeys(connection.Client, direction, CryptoInfo.Tls13, cipher);
            }

            // Want of memory is no answer.
            return errno is ErrorNumber.ENOMEM or ErrorNumber.ENOBUFS ? null : errno;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return null;
        }
    }
}
