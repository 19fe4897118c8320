using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KTls.Kernel;

/// <summary>
/// The system calls of the kernel floor. The runtime maps the name "libc" to glibc or musl, whichever the process runs on;
/// a SafeHandle argument is held for the length of the call, so its number cannot be reused under it.
/// </summary>
internal static unsafe partial class LibC
{
    private const string Library = "libc";

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int setsockopt(SafeHandle fd, int level, int name, void* value, uint length);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int getsockopt(SafeHandle fd, int level, int name, void* value, uint* length);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint recv(SafeHandle fd, void* buffer, nuint length, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint send(SafeHandle fd, void* buffer, nuint length, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint recvmsg(SafeHandle fd, MessageHeader* message, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint sendmsg(SafeHandle fd, MessageHeader* message, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint sendfile(SafeHandle to, SafeFileHandle from, long* offset, nuint count);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fcntl(SafeHandle fd, int command, int argument);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int poll(PollDescriptor* descriptors, nuint count, int milliseconds);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int epoll_create1(int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int epoll_ctl(int epoll, int operation, SafeHandle fd, void* ev);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int epoll_wait(int epoll, void* events, int maxEvents, int milliseconds);

    internal const int FcntlGetFlags = 3; // F_GETFL
    internal const int FcntlSetFlags = 4; // F_SETFL
    internal const int NonBlocking = 0x800; // O_NONBLOCK on every architecture that .NET runs on

    internal const int MsgControlTruncated = 0x8; // MSG_CTRUNC
    internal const int MsgDontWait = 0x40; // MSG_DONTWAIT
    internal const int MsgNoSignal = 0x4000; // MSG_NOSIGNAL

    /// <summary>The errno of the last call on this thread.</summary>
    internal static int LastError => Marshal.GetLastPInvokeError();
}

/// <summary>struct msghdr as the kernel, glibc and little-endian musl lay it out (musl pads its narrower fields).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MessageHeader
{
    public void* Name;
    public uint NameLength;
    public IoVector* Vectors;
    public nuint VectorCount;
    public void* Control;
    public nuint ControlLength;
    public int Flags;
}

/// <summary>struct iovec.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVector
{
    public void* Base;
    public nuint Length;
}

/// <summary>struct timeval.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TimeValue
{
    public nint Seconds;
    public nint Microseconds;
}

/// <summary>struct pollfd.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollDescriptor
{
    public const short Readable = 0x1; // POLLIN
    public const short Writable = 0x4; // POLLOUT

    public int Descriptor;
    public short Events;
    public short Returned;
}
