using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using Native = Tmds.Linux.LibC;

namespace KTls.Kernel;

/// <summary>
/// The system calls of the kernel floor: Tmds.LibC's, and sendfile(2), which it lacks. A SafeHandle argument is held for the
/// length of the call, so its number cannot be reused under it.
/// </summary>
internal static unsafe partial class LibC
{
    internal static int setsockopt(SafeHandle fd, int level, int name, void* value, uint length)
    {
        using var held = new HeldDescriptor(fd);
        return CallFaults.Fails(fd, "setsockopt", name) ? -1 : Native.setsockopt(held.Number, level, name, value, length);
    }

    internal static int getsockopt(SafeHandle fd, int level, int name, void* value, uint* length)
    {
        using var held = new HeldDescriptor(fd);
        return CallFaults.Fails(fd, "getsockopt", name) ? -1 : Native.getsockopt(held.Number, level, name, value, (socklen_t*)length);
    }

    internal static nint recv(SafeHandle fd, void* buffer, nuint length, int flags)
    {
        using var held = new HeldDescriptor(fd);
        return CallFaults.Fails(fd, "recv") ? -1 : (nint)(long)Native.recv(held.Number, buffer, (size_t)(ulong)length, flags);
    }

    internal static nint send(SafeHandle fd, void* buffer, nuint length, int flags)
    {
        using var held = new HeldDescriptor(fd);
        return CallFaults.Fails(fd, "send") ? -1 : (nint)(long)Native.send(held.Number, buffer, (size_t)(ulong)length, flags);
    }

    internal static nint recvmsg(SafeHandle fd, MessageHeader* message, int flags)
    {
        using var held = new HeldDescriptor(fd);
        return CallFaults.Fails(fd, "recvmsg") ? -1 : (nint)(long)Native.recvmsg(held.Number, (msghdr*)message, flags);
    }

    internal static nint sendmsg(SafeHandle fd, MessageHeader* message, int flags)
    {
        using var held = new HeldDescriptor(fd);
        return CallFaults.Fails(fd, "sendmsg") ? -1 : (nint)(long)Native.sendmsg(held.Number, (msghdr*)message, flags);
    }

    internal static int shutdown(SafeHandle fd, int how)
    {
        using var held = new HeldDescriptor(fd);
        return CallFaults.Fails(fd, "shutdown") ? -1 : Native.shutdown(held.Number, how);
    }

    internal static int fcntl(SafeHandle fd, int command, int argument)
    {
        using var held = new HeldDescriptor(fd);
        return CallFaults.Fails(fd, "fcntl") ? -1 : Native.fcntl(held.Number, command, argument);
    }

    internal static int poll(PollDescriptor* descriptors, nuint count, int milliseconds) =>
        Native.poll((pollfd*)descriptors, (uint)count, milliseconds);

    internal static int epoll_create1(int flags) => Native.epoll_create1(flags);

    internal static int epoll_ctl(int epoll, int operation, SafeHandle fd, void* ev)
    {
        using var held = new HeldDescriptor(fd);
        return CallFaults.Fails(fd, "epoll_ctl") ? -1 : Native.epoll_ctl(epoll, operation, held.Number, (epoll_event*)ev);
    }

    internal static int epoll_wait(int epoll, void* events, int maxEvents, int milliseconds) =>
        Native.epoll_wait(epoll, (epoll_event*)events, maxEvents, milliseconds);

    internal static nint sendfile(SafeHandle to, SafeFileHandle from, long* offset, nuint count) =>
        CallFaults.Fails(to, "sendfile") ? -1 : NativeSendFile(to, from, offset, count);

    internal const int FcntlGetFlags = 3; // F_GETFL
    internal const int FcntlSetFlags = 4; // F_SETFL
    internal const int NonBlocking = 0x800; // O_NONBLOCK on every architecture that .NET runs on

    internal const int MsgControlTruncated = 0x8; // MSG_CTRUNC
    internal const int MsgEndOfRecord = 0x80; // MSG_EOR
    internal const int MsgPeek = 0x2; // MSG_PEEK
    internal const int MsgDontWait = 0x40; // MSG_DONTWAIT
    internal const int MsgNoSignal = 0x4000; // MSG_NOSIGNAL

    /// <summary>The errno of the last call on this thread.</summary>
    internal static int LastError => Marshal.GetLastPInvokeError();

    [LibraryImport("libc", EntryPoint = "sendfile", SetLastError = true)]
    private static partial nint NativeSendFile(SafeHandle to, SafeFileHandle from, long* offset, nuint count);

    private readonly ref struct HeldDescriptor
    {
        private readonly SafeHandle _handle;

        /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
        public HeldDescriptor(SafeHandle handle)
        {
            bool held = false;
            handle.DangerousAddRef(ref held);
            _handle = handle;
        }

        public int Number => (int)_handle.DangerousGetHandle();

        public void Dispose()
        {
            // The last one to let go closes the descriptor, which would overwrite the call's own errno.
            int errno = Marshal.GetLastPInvokeError();
            _handle.DangerousRelease();
            Marshal.SetLastPInvokeError(errno);
        }
    }
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
