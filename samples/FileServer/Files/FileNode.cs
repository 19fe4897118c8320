using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace FileServer.Files;

/// <summary>
/// A place in the file system that is held, but not opened for I/O (O_PATH, open(2)): looking at a FIFO this way does not
/// block, and looking at a device does nothing to it. What is found out about it stays true, because nobody can put something
/// else in its place: a name is looked up once.
/// </summary>
internal sealed partial class FileNode : IDisposable
{
    private const int ReadOnly = 0; // O_RDONLY
    private const int OpenPath = 0x200000; // O_PATH
    private const int CloseOnExec = 0x80000; // O_CLOEXEC
    private const int EmptyPath = 0x1000; // AT_EMPTY_PATH
    private const uint BasicStatus = 0x7ff; // STATX_BASIC_STATS
    private const int TypeMask = 0xf000; // S_IFMT

    private readonly SafeFileHandle _handle;
    private readonly int _type;

    private FileNode(SafeFileHandle handle, ReadOnlySpan<byte> status)
    {
        // struct statx is the same on every architecture: stx_mode, stx_size and stx_mtime. The machine's own byte order.
        _handle = handle;
        _type = MemoryMarshal.Read<ushort>(status[28..]) & TypeMask;
        Length = MemoryMarshal.Read<long>(status[40..]);
        Modified = DateTimeOffset.FromUnixTimeSeconds(MemoryMarshal.Read<long>(status[112..])).AddTicks(MemoryMarshal.Read<uint>(status[120..]) / 100);
    }

    public bool IsRegularFile => _type == 0x8000; // S_IFREG

    public bool IsFolder => _type == 0x4000; // S_IFDIR

    public long Length { get; }

    public DateTimeOffset Modified { get; }

    /// <summary>The one true name, after all symbolic links; the kernel's own words.</summary>
    public string RealName => new FileInfo(Link).LinkTarget ?? string.Empty;

    private string Link => string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{_handle.DangerousGetHandle()}");

    /// <summary>Looks a name up, following symbolic links.</summary>
    /// <param name="name">An absolute name.</param>
    /// <param name="errno">When null is returned: why.</param>
    public static unsafe FileNode? TryFind(string name, out int errno)
    {
        errno = 0;
        SafeFileHandle handle = Open(name, OpenPath | CloseOnExec);
        if (!handle.IsInvalid)
        {
            Span<byte> status = stackalloc byte[256];
            fixed (byte* buffer = status)
            {
                if (GetStatus(handle, string.Empty, EmptyPath, BasicStatus, buffer) == 0)
                {
                    return new FileNode(handle, status);
                }
            }
        }

        errno = Marshal.GetLastPInvokeError();
        handle.Dispose();
        return null;
    }

    /// <summary>
    /// Opens for reading just what was looked at, whatever its name stands for by now. Not by File.OpenHandle, whose flock(2)
    /// would keep other .NET programs from writing a file while it is served.
    /// </summary>
    /// <param name="errno">When null is returned: why.</param>
    public SafeFileHandle? TryOpenForReading(out int errno)
    {
        SafeFileHandle handle = Open(Link, ReadOnly | CloseOnExec);
        errno = handle.IsInvalid ? Marshal.GetLastPInvokeError() : 0;
        return handle.IsInvalid ? null : handle;
    }

    public void Dispose() => _handle.Dispose();

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int GetStatus(SafeFileHandle directory, string path, int flags, uint mask, byte* status);
}
