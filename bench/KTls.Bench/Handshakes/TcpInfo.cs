using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace KTls.Bench.Handshakes;

/// <summary>What the kernel counts of a TCP connection (struct tcp_info).</summary>
internal static class TcpInfo
{
    private const int IpProtoTcp = 6;
    private const int TcpInfoOption = 11;
    private const int BytesAckedOffset = 120;
    private const int BytesReceivedOffset = 128;

    public static long BytesAcked(Socket socket) => Read(socket, BytesAckedOffset);

    public static long BytesReceived(Socket socket) => Read(socket, BytesReceivedOffset);

    private static long Read(Socket socket, int offset)
    {
        Span<byte> info = stackalloc byte[BytesReceivedOffset + sizeof(long)];
        socket.GetRawSocketOption(IpProtoTcp, TcpInfoOption, info);
        return MemoryMarshal.Read<long>(info[offset..]);
    }
}
