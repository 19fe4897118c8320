using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace KTls.Kernel;

/// <summary>
/// A connected TCP socket whose records the kernel can seal and open: attaches kernel TLS, installs keys, and moves data,
/// control records and files without blocking a thread, but for a moment (<see cref="BriefWait"/>), or where it shall
/// (<see cref="ReceiveBlocksUntil"/>, <see cref="SendBlocksUntil"/>).
/// </summary>
/// <remarks>
/// <para>
/// The descriptor belongs to somebody else, who closes it after disposing of this. Each system call holds the handle, and
/// only for its own length, which is none to speak of, unless it blocks: .NET's <see cref="System.Net.Sockets.Socket.Dispose()"/> spins until
/// nobody holds it any more, and ends blocked calls.
/// </para>
/// <para>
/// The first file switches the socket to O_NONBLOCK, which sendfile(2) needs, for good; all other calls say for themselves whether they
/// wait. From then on only this class may do I/O on the descriptor: a .NET Socket around it still believes that it blocks, so its
/// synchronous calls would fail with WouldBlock.
/// </para>
/// <para>
/// One receive and one send (data, control or file) at a time. A call that is cancelled leaves the connection usable; of a
/// cancelled send, some part is out, in whole records. Before the descriptor is closed or shut down, <see cref="FlushAsync"/>
/// has to see the last records out. Nothing here raises SIGPIPE: sends ask for that, and for sendfile,
/// which cannot, the runtime ignores the signal in the whole process (CoreCLR's SEHInitializeSignals, as Native AOT does).
/// </para>
/// </remarks>
internal sealed partial class KernelSocket : IDisposable
{
    private const int IpProtoTcp = 6; // IPPROTO_TCP
    private const int TcpCork = 3; // TCP_CORK
    private const int TcpUlp = 31; // TCP_ULP
    private const int SolTls = 282; // SOL_TLS
    private const int SolSocket = 1; // SOL_SOCKET
    private const int SendBuffer = 7; // SO_SNDBUF
    private const int SendTimeout = 21; // SO_SNDTIMEO

    // In the kernel's own count, which is twice what is asked for by SO_SNDBUF. See FlushAsync.
    private const int MinSendBuffer = 4 * MaxRecordPayload;

    private readonly SafeHandle _handle;
    private readonly SocketReadiness _readiness;
    private bool _disposed;

    /// <summary>Takes a connected TCP socket over for I/O.</summary>
    /// <param name="handle">The descriptor. It stays open when this is disposed of.</param>
    public KernelSocket(SafeHandle handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        _handle = handle;
        _readiness = new SocketReadiness(handle);
    }

    /// <summary>Frees the slot of a socket that nobody disposed of; no wait is under way, else it would be reachable.</summary>
    ~KernelSocket() => _readiness?.Close();

    /// <summary>
    /// Attaches kernel TLS (the TCP upper layer protocol "tls"). Without keys the socket goes on as plain TCP.
    /// </summary>
    /// <returns>0, also when it was attached before; else the errno, such as ENOENT without the module.</returns>
    public unsafe int AttachUlp()
    {
        fixed (byte* name = "tls"u8)
        {
            int errno = SetOption(IpProtoTcp, TcpUlp, name, 3);
            return errno == ErrorNumber.EEXIST ? 0 : errno;
        }
    }

    /// <summary>
    /// Gives the kernel the keys of one direction, from its next record on; the parameters but the direction are those of
    /// <see cref="CryptoInfo.Write"/>. With send keys, a send buffer (SO_SNDBUF) of less than 32 KiB grows to that.
    /// </summary>
    /// <returns>0 or the errno; with an errno the keys have not changed.</returns>
    public unsafe int SetKeys(
        KernelDirection direction, ushort version, KernelCipher cipher,
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, ulong sequence)
    {
        if (direction == KernelDirection.Send)
        {
            EnsureSendBuffer();
        }

        Span<byte> info = stackalloc byte[CryptoInfo.MaxSize];
        try
        {
            int size = CryptoInfo.Write(info, version, cipher, key, iv, sequence);
            fixed (byte* start = info)
            {
                return SetOption(SolTls, (int)direction, start, (uint)size);
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(info);
        }
    }

    /// <summary>The number of the next record of a direction whose keys the kernel has.</summary>
    /// <returns>0 or the errno.</returns>
    public unsafe int GetSequence(KernelDirection direction, KernelCipher cipher, out ulong sequence)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);

        // The kernel hands out the key together with the number.
        Span<byte> info = stackalloc byte[CryptoInfo.SizeOf(cipher)];
        try
        {
            fixed (byte* start = info)
            {
                uint length = (uint)info.Length;
                int errno = LibC.getsockopt(_handle, SolTls, (int)direction, start, &length) == 0 ? 0 : LibC.LastError;
                sequence = errno == 0 ? CryptoInfo.ReadSequence(info) : 0;
                return errno;
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(info);
        }
    }

    /// <summary>
    /// Ends every wait with <see cref="ObjectDisposedException"/> and forgets the socket, without closing its descriptor.
    /// Must come before the owner closes it.
    /// </summary>
    public void Dispose()
    {
        _disposed = true;
        _readiness.Close();
        EndBlockedReceive();
        WaitWhileSomebodyStays();
        GC.SuppressFinalize(this);
    }

    // With a send buffer of hardly a record, the kernel takes records that TCP has no room for and queues them without
    // bound, and at a close it throws them away. Buffers that nobody limited are larger from the start (tcp_init_buffer_space)
    // and stay untouched, because to set the size ends the kernel's own tuning of it.
    private unsafe void EnsureSendBuffer()
    {
        int size;
        uint length = sizeof(int);
        if (LibC.getsockopt(_handle, SolSocket, SendBuffer, &size, &length) == 0 && size < MinSendBuffer / 2)
        {
            size = MinSendBuffer / 2;
            _ = SetOption(SolSocket, SendBuffer, &size, sizeof(int)); // a refusal changes nothing
        }
    }

    private unsafe int SetOption(int level, int name, void* value, uint size)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return LibC.setsockopt(_handle, level, name, value, size) == 0 ? 0 : LibC.LastError;
    }
}
