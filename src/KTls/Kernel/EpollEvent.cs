using System.Runtime.InteropServices;

namespace KTls.Kernel;

/// <summary>
/// struct epoll_event. The kernel packs it on x86-64 only: there the data follows the event bits at once, elsewhere at an
/// 8-byte boundary. This type has room for both and is read and written through <see cref="DataOffset"/>.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
internal unsafe struct EpollEvent
{
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    private fixed byte _bytes[16];

    /// <summary>The distance of two events in an array of the kernel's.</summary>
    public static int Size => DataOffset + sizeof(ulong);

    /// <summary>Fills the event.</summary>
    public void Set(EpollEvents events, ulong data)
    {
        fixed (byte* start = _bytes)
        {
            *(uint*)start = (uint)events;
            NativeMemory.Copy(&data, start + DataOffset, sizeof(ulong));
        }
    }

    /// <summary>Reads the event at an address in an array of the kernel's.</summary>
    public static void Read(byte* start, out EpollEvents events, out ulong data)
    {
        events = (EpollEvents)(*(uint*)start);
        data = BitConverter.ToUInt64(new ReadOnlySpan<byte>(start + DataOffset, sizeof(ulong)));
    }
}
