using System.Net.Sockets;
using System.Security.Authentication;

namespace KTls.Kernel;

/// <summary>Tries out what this kernel can do.</summary>
internal static class CapabilityTrial
{
    private static readonly (KernelCipher Cipher, string Name)[] Ciphers =
    [
        (KernelCipher.AesGcm128, "AES-128-GCM"),
        (KernelCipher.AesGcm256, "AES-256-GCM"),
        (KernelCipher.ChaCha20Poly1305, "ChaCha20-Poly1305"),
        (KernelCipher.AesCcm128, "AES-128-CCM"),
    ];

    public static KernelTlsCapabilities Run()
    {
        if (!OperatingSystem.IsLinux())
        {
            return KernelTlsCapabilities.None(KernelFeature.NotTried("This is not Linux."));
        }

        try
        {
            using ProbeConnection connection = ProbeConnection.Open();
            return KernelTlsModule.TryAttach(connection.Client) is { } refusal
                ? KernelTlsCapabilities.None(KernelFeature.Of(refusal.Call, refusal.Errno))
                : TryOptions(connection.Client, TryCiphers());
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return KernelTlsCapabilities.None(KernelFeature.NotTried($"It could not be tried: {e.Message}"));
        }
    }

    private static List<KernelCipherSupport> TryCiphers()
    {
        var tried = new List<KernelCipherSupport>();
        foreach ((KernelCipher cipher, string name) in Ciphers)
        {
            using ProbeConnection connection = ProbeConnection.Open();
            tried.Add(TryCipher(connection.Client, SslProtocols.Tls13, cipher, name));
            tried.Add(TryCipher(connection.Server, SslProtocols.Tls12, cipher, name));
        }

        return [.. tried.OrderByDescending(support => support.Protocol)];
    }

    private static KernelCipherSupport TryCipher(KernelSocket socket, SslProtocols protocol, KernelCipher cipher, string name)
    {
        bool isTls13 = protocol == SslProtocols.Tls13;
        ushort version = isTls13 ? CryptoInfo.Tls13 : CryptoInfo.Tls12;
        int ulp = socket.AttachUlp();
        return new KernelCipherSupport
        {
            Cipher = name,
            Protocol = protocol,
            Send = ulp != 0
                ? KernelFeature.Of(KernelCalls.AttachUlp, ulp)
                : KernelFeature.Of(KernelCalls.SetSendKeys, ProbeConnection.SetKeys(socket, KernelDirection.Send, version, cipher)),
            Receive = ulp != 0
                ? KernelFeature.Of(KernelCalls.AttachUlp, ulp)
                : KernelFeature.Of(KernelCalls.SetReceiveKeys, ProbeConnection.SetKeys(socket, KernelDirection.Receive, version, cipher)),
            Rekey = !isTls13 ? null
                : RekeySupport.TryOut(cipher) is { } errno ? KernelFeature.Of(KernelCalls.SetSendKeys, errno)
                : KernelFeature.NotTried("It could not be tried."),
        };
    }

    // These options want keys first, of whatever cipher the kernel has.
    private static KernelTlsCapabilities TryOptions(KernelSocket socket, List<KernelCipherSupport> ciphers)
    {
        int index = Array.FindIndex(Ciphers, c => ciphers.Exists(s => s.Cipher == c.Name && s is { Protocol: SslProtocols.Tls13, Send.IsAvailable: true, Receive.IsAvailable: true }));
        KernelCipher cipher = Ciphers[Math.Max(index, 0)].Cipher;
        _ = ProbeConnection.SetKeys(socket, KernelDirection.Send, CryptoInfo.Tls13, cipher);
        _ = ProbeConnection.SetKeys(socket, KernelDirection.Receive, CryptoInfo.Tls13, cipher);
        TlsStatistics? counters = TlsStatistics.Read();
        return new KernelTlsCapabilities
        {
            UpperLayerProtocol = KernelFeature.Available,
            Ciphers = ciphers,
            ExpectNoPadding = KernelFeature.Of(KernelCalls.ExpectNoPadding, socket.ExpectNoPadding()),
            ZeroCopySendFile = KernelFeature.Of(KernelCalls.SendFilesWithoutCopy, socket.SendFilesWithoutCopy()),
            RecordPayloadLimit = KernelFeature.Of(KernelCalls.LimitRecordPayload, socket.LimitRecordPayload(KernelSocket.MaxRecordPayload)),
            DeviceOffloadSeen = counters is not null && (counters.TransmitDevice > 0 || counters.ReceiveDevice > 0),
        };
    }
}
