using System.Net.Sockets;

namespace KTls.Kernel.Tests.Support;

/// <summary>A server whose kernel opens records, and a client that seals them by hand.</summary>
internal sealed class UserSpacePeer : IDisposable
{
    private readonly TcpPair _tcp = TcpPair.Connect();

    public UserSpacePeer(ushort version)
    {
        Sealer = new RecordSealer(version, TestKeys.For(version, KernelCipher.AesGcm128, fromClient: true));
        Server = new KernelSocket(_tcp.Server.SafeHandle);
        try
        {
            KernelPair.Install(Server, KernelDirection.Receive, version, KernelCipher.AesGcm128, fromClient: true);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public RecordSealer Sealer { get; }

    public KernelSocket Server { get; }

    /// <summary>The client's plain end.</summary>
    public Socket Wire => _tcp.Client;

    /// <summary>Seals a record and sends it.</summary>
    public void Send(byte contentType, ReadOnlySpan<byte> content, int padding = 0) =>
        Wire.Send(Sealer.Seal(contentType, content, padding));

    public void Dispose()
    {
        Server.Dispose();
        Sealer.Dispose();
        _tcp.Dispose();
    }
}
