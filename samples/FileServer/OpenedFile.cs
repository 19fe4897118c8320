using System.Text;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace FileServer;

/// <summary>Opens files without the surprises of open(2): .NET's own File.OpenHandle waits for a writer when it meets a FIFO.</summary>
internal static class OpenedFile
{
    private const int TypeMask = 0xf000; // S_IFMT
    private const int Regular = 0x8000; // S_IFREG

    /// <summary>Opens a regular file for reading; null for anything else, or when it cannot be opened.</summary>
    public static unsafe SafeFileHandle? TryOpenRegular(string path)
    {
        SafeFileHandle? handle = TryOpen(path, LibC.O_RDONLY | LibC.O_NONBLOCK | LibC.O_CLOEXEC | LibC.O_NOCTTY);
        if (handle is null)
        {
            return null;
        }

        stat status;
        if (LibC.fstat((int)handle.DangerousGetHandle(), &status) == 0 && ((uint)status.st_mode & TypeMask) == Regular)
        {
            return handle;
        }

        handle.Dispose();
        return null;
    }

    /// <summary>Where an open file or folder really is, whatever links led to it.</summary>
    public static string RealPath(SafeFileHandle handle) =>
        File.ResolveLinkTarget($"/proc/self/fd/{handle.DangerousGetHandle()}", returnFinalTarget: false)!.FullName;

    /// <summary>Where a folder really is; null when it is none.</summary>
    public static string? RealFolder(string path)
    {
        using SafeFileHandle? handle = TryOpen(path, LibC.O_RDONLY | LibC.O_DIRECTORY | LibC.O_CLOEXEC);
        return handle is null ? null : RealPath(handle);
    }

    private static unsafe SafeFileHandle? TryOpen(string path, int flags)
    {
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            int descriptor = LibC.open(name, flags);
            return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
        }
    }
}
